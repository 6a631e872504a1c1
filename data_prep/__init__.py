"""Dataset commands: each reads or makes problems and writes the Parquet files that verl trains on.

Commands, each with `--help`:
    arithmetic.py        generated arithmetic problems; arithmetic_problems.py and carry_problems.py make them
    prepare.py           any dataset of problems; preparation.py has the steps, problem_rows.py makes the rows
    deepscaler.py        DeepScaleR, or the paper's subset of it: a preset of prepare.py
    eval_suite.py        the five benchmarks of the paper
    correctness_rate.py  how often a model solves each problem

Folders:
    sources/   from files and the Hugging Face hub to records
    presets/   where a dataset keeps problem, answer and solution
    problems/  from records to problems with every value checked
    quality/   what the problems are like, and which of them are used
    writing/   from problems to files: rows of verl, Parquet, dataset cards, Markdown tables
    sampling/  responses of a model through vLLM, graded, and kept through a kill

A new dataset: an entry in the table of presets/table.py. One with rules of its own: a command that reads with
`sources.records.read_located`, checks with `problems.reading.read_problems`, builds rows with `ProblemRows` and writes
with `writing.card.write_dataset`; eval_suite.py is the shortest.
A new file format: a reader in a table of sources/formats.py, and, if rates are to be written to it, an encoder in
that of problems/problem_records.py.

Imports in this order: sources, presets, writing <- problems <- quality <- the commands, which also use sampling. Of
ours outside this package only the reward (`reward_fns`) is imported. This module imports nothing.
"""
