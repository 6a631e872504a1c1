"""A study: methods x tasks x seeds, what they say of claims that were written down before, and the tables of it.

__main__.py         the command: makes the runs that are missing, and prints the tables
plan.py             the runs of a study, and the choice of learning rates; pure
plan_file.py        reads and checks study.yaml, which says what is run, and study_quick.yaml
runner.py           makes the runs, in the laboratory and in verl, and records them
records.py          what is kept of a run: thinned curves, and its origin (origin.py: commit, machine)
claims.py           the claims, and how each is answered by an interval over seeds; pure
results.py          the runs, found by task, seed and method; pure
tables.py           the tables of the plan's runs, in Markdown; cells.py: means and intervals in them; pure
answers.py          the tables of the claims; pure
beside.py           the tables of runs that no plan has, with a pretrained model or from policies that were tried; pure
figures.py          the figures, as SVG
report.py           the command that rebuilds tables and figures in docs/study.md from the records
check_reference.py  the command that holds a run of verl against the recorded ones

A claim is an entry of CLAIMS and a row of docs/study.md, written before the runs; a method, a task or a seed is a line
of study.yaml. It may import what the laboratory may; nothing else of the laboratory imports it.
"""
