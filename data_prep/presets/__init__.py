"""Where a dataset keeps problem, answer and solution, and how they are read there.

table.py         the known datasets, a few lines each
fields.py        a place in a record and who reads it; paths.py finds it
prompts.py       reads problems; chats.py, choices.py and instructions.py know what surrounds them
answers.py       reads answers
solutions.py     reads solutions
gsm8k.py         reads both, as GSM8K writes them

A new dataset: an entry in the table. Of ours only the reward is imported, for how it finds an answer.
"""
