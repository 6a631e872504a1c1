"""Rival methods on the same footing, one short pure file each; docs/comparators.md says how they differ.

groups.py           groups without contrast: all rewards of a prompt equal
virtual_rewards.py  rewards that no response got, for NGRPO and AVSPO
per_token.py        what methods with an advantage for each token share
ngrpo.py            NGRPO: every group is compared with a right response that it may not have
avspo.py            AVSPO, released rule: groups without contrast are compared with one opposite reward
egpo.py             EGPO: the advantage weighted by the entropy, which never weakens what is right
rl_zvp.py           RL-ZVP: groups without contrast learn from the entropy of each token
entropy_shaped.py   entropy-shaped advantage: a bonus for uncertain tokens

Dr. GRPO and DAPO are settings of verl: `+recipe=dr_grpo`, `+recipe=dapo`. Imports `advantage.py` and nothing else of
ours; `training_step/comparator_estimators.py` registers each with verl. Shapes as in `advantage.py`.
"""
