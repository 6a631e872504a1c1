"""Two answers are compared, without a computer algebra system where that is possible.

compare.py          the decision; its table of conventions says what graders disagree on
text.py             an answer without what carries no meaning
signs.py            Unicode into LaTeX
vocabulary.py       phrases, times, choices and congruences in several spellings
written_numbers.py  the number that an answer writes out
units.py            the unit behind it, from closed tables
parts.py            an answer taken apart: lists, unions, equations
structures.py       sets, tuples, intervals and matrices, by their parts
relations.py        equations and inequalities
solution_sets.py    inequalities, intervals and set-builders as sets of real numbers
intervals.py        unions of intervals
words.py            answers that are words

May import expressions and limits.
"""
