"""From an input to problems with every value checked.

records.py          records from files
hub.py              records from what the library `datasets` loads
problems.py         records turned into problems
problem_records.py  problems that keep the columns they came with

A new file format: a reader in the table of records.py. Imports nothing of ours outside this folder.
"""
