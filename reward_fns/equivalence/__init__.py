"""Two answers are compared, without a computer algebra system where that is possible.

compare.py          the decision; its table of conventions says what graders disagree on
text.py             an answer without what carries no meaning
signs.py            Unicode into LaTeX
spellings.py        a table: each spelling, and the one that is used for it
vocabulary.py       phrases, times and choices in several spellings; remarks that say nothing more
numbers.py          written numbers compared, with units
written_numbers.py  the number that an answer writes out
units.py            the unit behind it; unit_tables.py holds those that there are
parts.py            an answer taken apart: lists, unions, equations
rewriting.py        an answer with names, written as the other is
structures.py       tuples, matrices, vectors, cases and equations, by their parts; lists.py sets and lists
relations.py        equations and inequalities
families.py         residue classes and solutions with a period
solution_sets.py    inequalities, intervals and set-builders as sets of real numbers
conditions.py       conditions on one unknown, solved; set_words.py writes those in words as relations
intervals.py        unions of intervals
words.py            answers that are words

May import expressions and limits.
"""
