"""Rewards for mathematics: the last box of a response is compared with the expected answer.

math_reward.py  `compute_score`, which verl calls, and its blocking twin `grade`
extraction.py   finds the last box in a response
limits.py       how much an answer may hold
equivalence/    decides without a computer algebra system where it can; imports expressions and limits
expressions/    compares expressions by their values at fixed points; imports limits
verifier/       runs math-verify in child processes that can be killed; imports limits

Only math_reward.py uses all of them, and nothing here imports data_prep or recipe. What graders disagree on goes into
the table of equivalence/compare.py, with a test; a LaTeX command into expressions/commands.py; a structure of answers
into equivalence/structures.py, and into the order that compare.py tries them in.
"""
