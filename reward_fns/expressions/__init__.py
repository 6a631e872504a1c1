"""Expressions are read from LaTeX, and compared by their values at fixed points.

compare.py   two expressions compared
points.py    where they are evaluated; roots.py compares equations by their roots
reader.py    the grammar: from tokens to a value; tokens.py holds their patterns
commands.py  the LaTeX commands that have a value; compare.py hands them to the reader
scanner.py   from text to tokens
values.py    exact and 38-digit arithmetic with bounds

A new command: its row in the table of commands.py. Imports nothing of ours but limits.
"""
