"""The method in one process, without verl, Ray and vLLM: to read, and to try a change on a tiny policy in minutes.

__main__.py       the command: recipes and seeds, one run after the other, and a table of them
configuration.py  what is read of a recipe, and what needs verl and is refused
policy.py         samples from a transformers model, and gives the log-probability and entropy of each token
rollout.py        groups of responses, sampled, graded and corrected
update.py         advantages, loss, one step of the optimizer
supervised.py     fine-tuning on the reference solutions, the control
training.py       the loop: rollout, update, metrics, validation
study/            many runs on all cores and some in verl, by a plan; claims, and how they are answered

Correction, draws, guard, advantages, comparators, losses of injected text and metrics are those of the runs in verl;
nothing of them is written again here. A tool: nothing imports it.
"""
