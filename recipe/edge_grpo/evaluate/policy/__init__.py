"""What is evaluated: from a run, a checkpoint or an adapter to a folder that vLLM loads, refused in a line otherwise.

run_folder.py      the checkpoint of a run and its configuration; which step is the best one
accepted.py        the kinds of folder that `--model` accepts, in a table
merging.py         one Hugging Face folder beside shards or an adapter, made once
merge_adapter.py   a program: a LoRA adapter and its base model become one folder

A new kind of folder: a row of the table in accepted.py. verl is only started as a program, never imported.
"""
