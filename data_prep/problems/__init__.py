"""Records turned into problems, with every value checked.

reading.py          a record and a preset make a problem, or a reason why not
answer_texts.py     what a dataset keeps as its answer, as texts
golds.py            what keeps an answer from being a final answer
excluded.py         the problems of files that must not be trained on
problem_records.py  problems that keep the columns they came with, and are written again with one more

A new reason to leave out a row: a `BadRow` where it is found. May import presets, sources, writing and the reward.
"""
