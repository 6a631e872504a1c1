"""Dataset commands: each reads or makes problems and writes the parquet files that verl trains on.

- `rows`: the one place that knows what a row of verl looks like, and how a file of them is written
- `arithmetic`: generated arithmetic problems (`arithmetic_problems` makes them)
- `deepscaler`: the problems of the EDGE-GRPO paper, from the authors' JSON file
"""
