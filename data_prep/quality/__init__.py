"""What the problems are like, and which of them are used.

selection.py      repetitions, overlap with other problems, reproducible subsets, a held-out set
verification.py   which reference answers and solutions the reward's own verifier grades as it should
answer_forms.py   how a response gives its answer, which form a prompt asks for, and what a wrong answer is
token_lengths.py  how long prompts and solutions are
answer_kinds.py   what kinds of answers there are
summary.py        the tables of all that, for the terminal and the dataset card

A new measure: a file like token_lengths.py, and its table in summary.py. May import problems, writing and the reward.
"""
