"""`python -m recipe.edge_grpo.slurm` prints the folder of the scripts.

Slurm runs a copy of a batch script in a folder of its own, so that a script cannot look beside itself for `common.sh`.
"""

from pathlib import Path

print(Path(__file__).parent)
