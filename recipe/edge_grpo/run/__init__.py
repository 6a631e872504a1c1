"""The course of a run, nothing of the method: refused at the start, watched, stopped, resumed, explained at its end.

lifecycle.py       driver and trainer, in the order of a run; calls everything below
config_checks.py   the composed configuration: what cannot work is refused before Ray starts;
                   sampling_checks.py, correction_checks.py, comparator_checks.py, estimators.py and
                   rollout_engines.py are parts of it
preflight/         what is looked at before Ray starts: model, data files, prompts, reward
data_checks.py     data files that are damaged inside, and training rows, once they are loaded
checkpoints.py     sealed when whole; one that was cut off is not resumed from
stop_request.py    stopping after the step that a run is in
config_file.py     the configuration, left in the run folder
metrics_file.py    where the metrics of a run go, and those of its earlier starts
failure_report.py  the reason of a failure, as the last line of the driver's output
watchdog.py        ends a run that would wait for ever: dead_actors.py, dead_servers.py and stall.py find why

A new refusal: a check in config_checks.py with key, value and fix. A new fault: a function that returns its message or
None, and its place in `RunLifecycleMixin._watchdogs`. May import names, settings, correction and verl_patches.
"""
