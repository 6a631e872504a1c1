"""`python -m recipe.edge_grpo.report RUN_DIR… --output DIR`: what one or several runs did, as a table and curves.

metrics_file.py  reads and checks the `metrics.jsonl` that a run leaves behind
table.py         first, last and mean value of each quantity, as a Markdown table
verdict.py       what limits a run, in one line
panels.py        what each panel of the figure shows
curves.py        draws the figure

A new quantity: a row of `ROWS` in table.py, and a line of a panel in panels.py. A tool: it may import data_prep, and
nothing imports it.
"""
