"""What the problems are like, and which of them are used.

selection.py      repetitions, and reproducible subsets
verification.py   which reference solutions the reward's own verifier accepts
token_lengths.py  how long prompts and solutions are
answer_kinds.py   what kinds of answers there are
summary.py        the counts of one preparation

May import sources, writing and the reward.
"""
