"""A policy small enough to train on two cores, and taught far enough that sampling finds some right answers.

build.py         `python -m recipe.edge_grpo.quickstart.tiny_policy.build`: makes it
architecture.py  a Qwen2 model of 0.15 M parameters, and its tokenizer
examples.py      what it is taught: worked answers, some of them wrong, and reflections
supervision.py   how it is taught
group_mix.py     how many groups of its responses are all wrong, mixed and all correct

Part of the quickstart, which starts `build` as a process of its own; may import what that may.
"""
