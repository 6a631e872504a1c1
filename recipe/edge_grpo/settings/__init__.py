"""The block `edge_grpo:` of the configuration, read and refused before anything starts.

block.py       frozen dataclasses with a field for each key; `parse_settings` and `read_settings` make them
comparators.py the constants of rival estimators, `edge_grpo.comparator`
choices.py     the choices that keys offer, by the names that the YAML uses for them
validation.py  checks of single values

A new key: its default and meaning in config/recipe/edge_grpo.yaml, a field in block.py, its check in `__post_init__`.
What depends on verl's own keys is checked in run/config_checks.py. Imports nothing of ours outside this folder.
"""
