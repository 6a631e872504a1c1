"""`make quickstart`: data, a tiny policy, a short run on the CPU, and a picture of what happened.

__main__.py   the command
learning.py   what a run has learned, in one line
launch.py     starts a run as a child process and shows what a person wants to see of its output
tiny_policy/  a policy small enough to train on two cores

A tool: it may import settings, correction, cpu and data_prep, and nothing imports it.
"""
