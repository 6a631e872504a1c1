"""From what the user gives to records, each with its place.

inputs.py    what is given, as files and datasets
shards.py    the files of one split in a folder
records.py   records from all of these
formats.py   the table of the kinds of files; text_files.py and arrow_files.py read them, decoding.py opens text
hub.py       records from what the library `datasets` loads; hub_access.py asks whether the hub answers

A new file format: a reader in a table of formats.py. Imports nothing of ours.
"""
