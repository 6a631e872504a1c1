"""EDGE-GRPO (arXiv 2507.21848) for unforked verl: table of contents.

Pure modules (torch and the standard library only):
    advantage.py     response entropy, entropy ratio, group-relative and entropy-driven advantage
    correction.py    who failed, which correction it gets, how the corrected token sequence is composed
    diagnostics.py   collapse, entropy and correction metrics
    settings.py      the `edge_grpo:` block as frozen dataclasses, validated on construction

Glue (verl):
    plugin.py        the `verl.plugins` entry point; registers everything else by name, lazily
    start_up.py      makes verl's `validate_config` run our checks
    checks.py        start-up checks of the composed configuration and of the data
    estimator.py     `algorithm.adv_estimator=edge_grpo`
    trainer.py       one mixin, three trainers (sync, colocate_async, separate_async)
    rollout.py       the agent-loop worker and manager that correct failed responses while sampling
    watchdog.py      ends a run whose vLLM server has died, instead of letting it wait for ever

Around it: config/ (recipes and profiles), cpu/ (verl and vLLM without an accelerator), doctor.py, quickstart.py with
launch.py, report/, run_folder.py, evaluate.py with evaluation/, markdown.py.
This module imports nothing, so the pure modules load without verl.
"""
