"""From problems to files.

rows.py      the one place that knows what a row of verl looks like
files.py     files written whole or not at all
card.py      the dataset card beside them
markdown.py  aligned Markdown tables, of cards, reports and evaluations

What a row has beyond verl's own columns goes through the keywords of `rows.build_row`. Imports nothing of ours.
"""
