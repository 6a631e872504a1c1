"""From an input to problems with every value checked.

inputs.py           what the user gives, as files and datasets
shards.py           the files of one split in a folder
records.py          records from all of these, each with its place
formats.py          the table of the kinds of files; text_files.py and arrow_files.py read them, decoding.py opens text
hub.py              records from what the library `datasets` loads; hub_access.py asks whether the hub answers
problems.py         records turned into problems, whatever their columns are called
presets.py          which columns of known datasets are problem, answer and solution; fields.py and paths.py find what
                    prompts.py (chats.py, choices.py, instructions.py), answers.py, solutions.py and gsm8k.py read
answer_texts.py     what a dataset keeps as its answer, as texts
golds.py            what keeps an answer from being a final answer
excluded.py         the problems of files that must not be trained on
problem_records.py  problems that keep the columns they came with, and are written again with one more

A new file format: a reader in a table of formats.py. A new dataset: an entry in that of presets.py. May import writing,
for files, and the reward, for how it reads an answer.
"""
