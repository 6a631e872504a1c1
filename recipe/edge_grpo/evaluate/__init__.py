"""`python -m recipe.edge_grpo.evaluate`: what a checkpoint can do, from its graded responses to the paper's table.

Pure modules (numpy, pyarrow, PyYAML, the reward and the standard library only):
    responses.py               one graded response, and the Parquet file that holds many
    statistics.py              avg@n, unbiased pass@k, intervals, the two averages over benchmarks
    majority.py                maj@k: the responses to a problem vote on its answer
    entropy_by_correctness.py  policy entropy of correct and of wrong responses (figure 3 of the paper)
    reflection.py              accuracy of responses that reflect, and after forced reflection (figure 2)
    summary.py                 all of it as one dictionary that goes into a JSON file
    comparison.py              which averages several runs can be compared by
    paired.py                  two runs on the same problems: matching, paired bootstrap, exact sign test
    paired_tables.py           the section of a comparison that shows this
    published.py               the rows of the paper's tables, from published.yaml
    tables.py                  Markdown tables of one run and of several

Glue (vLLM, torch), for `recipe.edge_grpo.evaluate`:
    policy/                    from a run, shards or an adapter to a folder that vLLM loads
    prompting.py, rewards.py   how a problem is put to the policy, and how its responses are graded
    protocols.py               named protocols, such as the paper's
    subject.py, model_card.py  what is evaluated, and the page that says so
    benchmarks.py, jobs.py     the problems of the data files, and the requests that are made for them
    steps.py, run.py           sampling, forced reflection and entropies; one evaluation from start to end
    store.py                   the records of the journal, from which a killed evaluation goes on
    policy_entropy.py          exact entropies of given responses
    outputs.py                 the files of an evaluation, and the comparison of several

A new statistic: a pure function, a key of summary.py and a column of tables.py. A tool: it may import correction and
data_prep, and nothing imports it. This module imports nothing, so the pure ones load without torch, vLLM and verl.
"""
