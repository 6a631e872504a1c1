"""math-verify runs in child processes that can be killed.

pool.py   the children of this process, and who waits for which
link.py   the parent's side of one child: starts it, asks it, tells its deaths apart
child.py  the child, run as a script: a template that forks workers
costs.py  what an answer may have a computer algebra system compute

Imports nothing of ours but limits.
"""
