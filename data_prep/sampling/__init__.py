"""Sampling responses from a model through vLLM, grading them, and keeping them through a kill.

options.py     the command-line options that all such commands have, and the types of arguments of all commands
templates.py   what the model reads of a problem
prompts.py     the prompts of many problems, and the room that they leave
checkpoint.py  what has to be known of a model before it is loaded
engine.py      vLLM: the same code on the CPU and on GPUs
cpu.py         what vLLM needs where there is no accelerator; active only with a CPU build
journal.py     the file that a run continues from
grading.py     samples and grades, chunk by chunk

A new template: an entry in the table of templates.py. May import vLLM, in engine.py only, and the reward; nothing else
of ours. `data_prep.correctness_rate` and `recipe.edge_grpo.evaluate` are built on it. This module imports nothing.
"""
