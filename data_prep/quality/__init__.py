"""What the problems are like, and which of them are used.

selection.py      repetitions, and reproducible subsets
verification.py   which reference answers and solutions the reward's own verifier accepts
token_lengths.py  how long prompts and solutions are
answer_kinds.py   what kinds of answers there are
summary.py        the tables of all that, for the terminal and the dataset card

A new measure: a file like token_lengths.py, and its table in summary.py. May import sources, writing and the reward.
"""
