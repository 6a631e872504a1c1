"""What is looked at before Ray starts: the model, the data files, the prompts and the reward, in a few seconds.

checks.py        the table of checks, the order they run in, and what becomes of what they find
findings.py      what a check gives back
inputs.py        reads the model folder and the data files
data.py          files, columns, rows, reference answers, data sources
prompts.py       chat template, prompt lengths, room in the model's context
reward.py        what the reward makes of a right answer and of a wrong one
reward_probe.py  calls the reward in a process of its own

A new check: a function of plain values in data.py, prompts.py or reward.py, and its row in `checks.CHECKS`. Whatever is
not on this machine is left alone, and only what is certain to fail is a problem.
"""
