"""A run on the CPU imports verl, Ray and vLLM once: its processes are forks of one that has.

Importing them takes a process 4 to 13 seconds of a core, and a run has ten, started one after the other.

start.py            in the driver: gives Ray `launcher.py` in the place of Python (`runtime_env.py_executable`)
launcher.py         what Ray starts for each process; asks the template for a fork, or becomes Python itself
template.py         imports, and forks
request.py          a process that is wanted, and how a fork becomes it
ray_identifiers.py  why no import may draw one, and how none does
"""
