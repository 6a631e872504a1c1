"""Batch scripts for Slurm, and what they need of Python; docs/slurm.md says how to submit them.

train.sbatch             a run on one node
train_multinode.sbatch   a run on several: Ray's nodes are job steps, and verl joins them
sweep.sbatch             an array of runs on one node each, over recipes and seeds
evaluate.sbatch          recipe.edge_grpo.evaluate
prepare_data.sbatch      data_prep
common.sh                what the scripts share
process_tree.py          runs a command, and leaves none of its descendants behind
ray_node.py              one node of Ray
network.py               this node's address, free ports
wait_for_nodes.py        until Ray has all nodes
"""
