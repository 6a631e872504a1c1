"""Two answers are compared, without a computer algebra system where that is possible.

compare.py          the decision; its table of conventions says what graders disagree on
text.py             an answer without what carries no meaning
written_numbers.py  the number that an answer writes out
parts.py            an answer taken apart: lists, unions, equations
structures.py       sets, tuples, intervals and matrices, by their parts
relations.py        equations and inequalities
words.py            answers that are words

May import expressions and limits.
"""
