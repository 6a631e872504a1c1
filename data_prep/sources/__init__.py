"""From an input to problems with every value checked.

records.py          records from files
hub.py              records from what the library `datasets` loads
problems.py         records turned into problems, whatever their columns are called
presets.py          which columns of known datasets are problem, answer and solution; fields.py and paths.py find what
                    prompts.py (chats.py, choices.py, instructions.py), answers.py, solutions.py and gsm8k.py read
problem_records.py  problems that keep the columns they came with, and are written again with one more

A new file format: a reader in the table of records.py. A new dataset: an entry in that of presets.py. May import
writing, for files and the check of verl rows.
"""
