"""Dataset commands: each reads or makes problems and writes the parquet files that verl trains on.

Commands, each with `--help`:
- `arithmetic`: generated arithmetic problems (`arithmetic_problems` makes them)
- `deepscaler`: DeepScaleR, the paper's subset of it, or problems of your own (`preparation` has the steps)
- `eval_suite`: the five benchmarks of the paper
- `correctness_rate`: how often a model solves each problem (`problem_records` keeps the columns, `sampling` the model)

From an input to problems:
- `reading`, `hub`: records from files, and from what the library `datasets` loads
- `problems`, `answers`: records with every value checked
- `selection`: repetitions, and reproducible subsets
- `verification`: which references the verifier of the reward accepts
- `token_lengths`, `answer_kinds`, `summary`: what the problems are like

To files:
- `rows`: the one place that knows what a row of verl looks like
- `files`, `card`, `markdown`: files written whole or not at all, and the dataset card beside them
"""
