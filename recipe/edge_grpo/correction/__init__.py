"""Guided error correction (GEC), while sampling: what happens between a response and its final score.

rollout.py         where verl calls us: agent-loop worker and manager
prompt_group.py    the responses of one prompt, corrected together under the contrast guard
corrector.py       one failed response corrected and scored again
hinted_groups.py   an all-wrong group sampled again, with a hint in its prompt
hinted_prompts.py  the prompts with hints in them, as token ids
hints.py           what of a solution a prompt shows; pure
requests.py        what is asked of the policy's server beyond what the agent loop asked
strategies.py      reflection, answer, solution: builds the token sequence of each correction
tokens.py          what a corrected token sequence is, as pure functions of token ids
candidate.py       a scored response that may be corrected
reference.py       what its row knows of the right response: answer and solution; pure
contrast_guard.py  which corrections never take a group's contrast away; pure
sampling.py        how a session is sampled: the requests of its agent loop, bounded, seeded and remembered
draws.py           every random choice, by its place in the run; pure
failure.py         which responses failed, from what the reward function reported; pure
sessions.py        how sessions ended, and why some were lost; pure
record.py          what was done to one response; travels with it through verl's storage

A new strategy: its name in settings/choices.py, its probability in the YAML, a method in strategies.py and its row in
the table there. May import advantage, names and settings; only rollout.py imports verl.
"""
