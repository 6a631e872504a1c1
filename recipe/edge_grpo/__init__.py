"""EDGE-GRPO (arXiv 2507.21848) for unforked verl: table of contents.

Pure modules (torch and the standard library only):
    advantage.py          response entropy, entropy ratio, group-relative and entropy-driven advantage
    batch_entropy.py      these for a batch, as the settings ask for them
    correction.py         how a corrected token sequence is composed
    failure.py            which responses failed, and which were cut off
    draws.py              the random choices of error correction
    contrast_guard.py     corrections that never take a group's contrast away
    injected_loss.py      how the loss treats text that the policy did not write
    correction_record.py  what was done to one response
    scores.py             what the reward function reported
    diagnostics.py        collapse, entropy and correction metrics; step_metrics.py puts them together
    stored_batch.py       what is known of a batch; rollout_dump.py its columns in a dumped rollout
    settings.py           the `edge_grpo:` block as frozen dataclasses, with options.py and settings_checks.py
    training_rows.py      a look at the training data

Error correction while sampling (no verl but its output class):
    candidate.py          a response that may be corrected
    composer.py           texts, encoded and put in place
    corrector.py          one response corrected and scored again
    group_correction.py   all responses of a prompt corrected together

Glue (verl):
    plugin.py             the `verl.plugins` entry point; registers everything else by name, lazily
    start_up.py           makes verl's `validate_config` run our checks
    checks.py             start-up checks of the composed configuration
    estimator.py          `algorithm.adv_estimator=edge_grpo`
    shaped_loss.py        `actor_rollout_ref.actor.policy_loss.loss_mode=edge_grpo_shaped`
    trainer.py            one mixin, three trainers (sync, colocate_async, separate_async)
    batch_storage.py      what verl has stored about a batch, fetched and put back
    rollout.py            the agent-loop worker and manager that correct failed responses while sampling
    lifecycle.py          the course of a run: stopped on request, resumed whole; checkpoints.py, stop_request.py,
                          run_folder.py (metrics)
    watchdog.py           ends a run that would wait for ever: actor_health.py, vllm_health.py, stall.py find why
    failure_report.py     the reason as the last line of the driver's output
    data_files.py         damaged data files, named
    loopback.py           on one machine nothing listens on another interface
    remote_code.py        code that comes with a model is not run unasked
    weight_sockets.py     runs on one machine do not get each other's weights

Around it: config/ (recipes and profiles), cpu/ (verl and vLLM without an accelerator), doctor.py, quickstart.py with
launch.py, report/, slurm/, evaluate.py with evaluation/, markdown.py.
This module imports nothing, so the pure modules load without verl.
"""
