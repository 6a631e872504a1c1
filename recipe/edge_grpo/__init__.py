"""EDGE-GRPO (arXiv 2507.21848) for unforked verl: table of contents.

The method, by when it happens:
    advantage.py       entropy-driven advantage: paper equations 3, 6, 7 and their one composition; pure
    settings/          the block `edge_grpo:`, read and checked before anything starts
    correction/        guided error correction, while sampling
    training_step/     one batch in the trainer: advantages, loss of injected tokens, metrics
    run/               the course of a run, nothing of the method: refused, watched, stopped, resumed, explained
    comparators/       rival methods, one advantage a file; pure
    intervals.py       the interval of a share, for the tools; pure
    names.py           the names under which verl finds all this
    plugin.py          the `verl.plugins` entry point: one table, module of verl to function of ours

What verl stands on:
    verl_patches/      every patch of verl, Ray or torch, one file each
    cpu/               verl and vLLM without an accelerator
    config/            recipes and profiles (Hydra)

Tools: doctor.py, quickstart/, laboratory/, evaluate/, report/, slurm/.

Imports go one way: advantage, intervals, names, settings, then correction, run, training_step, plugin; cpu and
verl_patches stand below run; nothing imports a tool. tests/test_import_rules.py holds the whole order, and
docs/extending.md says which files to open for a change. This module imports nothing, so the pure modules load without
verl.
"""
