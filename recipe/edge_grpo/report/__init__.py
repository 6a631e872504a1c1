"""`python -m recipe.edge_grpo.report RUN… --output DIR`: what one or several runs did, as a table, curves and a page.

metrics_file.py  reads and checks the `metrics.jsonl` that a run leaves behind
run_folder.py    reads what else a run leaves: configuration, rollouts, how it ended
table.py         first, last and mean value of each quantity, as a Markdown table
verdict.py       what limits a run, in one line
panels.py        what each panel of the figure shows
curves.py        draws the figure
page/            the HTML page

A new quantity: a row of `ROWS` in table.py, a line of a panel in panels.py, and one in page/panel_table.py. A
tool: it may import data_prep, and nothing imports it.
"""
