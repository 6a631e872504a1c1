"""What one or several runs did, as a table and curves: `python -m recipe.edge_grpo.report RUN_DIR… --output DIR`.

- `metrics_file`: reads and checks the `metrics.jsonl` that a run leaves behind.
- `table`: first and last value of each quantity, as a Markdown table.
- `panels`: what each panel of the figure shows.
- `curves`: draws the figure.
"""
