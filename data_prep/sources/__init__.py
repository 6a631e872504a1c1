"""From an input to problems with every value checked.

records.py          records from files
hub.py              records from what the library `datasets` loads
problems.py         records turned into problems, whatever their columns are called
problem_records.py  problems that keep the columns they came with, and are written again with one more

A new file format: a reader in the table of records.py. May import writing, for files and the check of verl rows.
"""
