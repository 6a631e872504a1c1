"""Says what ran and in which settings the runs differ; pure."""

from collections.abc import Sequence

from recipe.edge_grpo.report.run_folder import RunFolder, recipe_and_seed

UNKNOWN = "–"

CONFIG_COLUMNS = (
    ("model", ("actor_rollout_ref.model.path",)),
    ("data", ("data.train_files",)),
    ("advantage", ("algorithm.adv_estimator",)),
    ("EDA", ("edge_grpo.eda.enabled",)),
    ("GEC", ("edge_grpo.gec.enabled",)),
    ("responses a prompt", ("actor_rollout_ref.rollout.n",)),
    ("prompts a step", ("data.train_batch_size",)),
    ("learning rate", ("actor_rollout_ref.actor.optim.lr",)),
    ("seed", ("edge_grpo.seed", "data.seed")),
)
"""Columns of the table of runs, and the keys of the configuration that may hold each."""

PLACES = ("default_local_dir", "rollout_data_dir", "validation_data_dir", "experiment_name", "run.dir")
"""Ends of keys that differ between all runs and say nothing."""

Table = list[list[str]]


def table_of_what_ran(runs: Sequence[RunFolder]) -> Table:
    """Return a header and a row for each run; columns that no run fills are left out."""
    header = ["run", "recipe", "steps", *(name for name, _ in CONFIG_COLUMNS), "steps with rollouts"]
    rows = [header, *map(_row, runs)]
    is_filled = [any(row[place] != UNKNOWN for row in rows[1:]) for place in range(len(header))]
    return [[cell for cell, filled in zip(row, is_filled, strict=True) if filled] for row in rows]


def _row(run: RunFolder) -> list[str]:
    recipe, seed = recipe_and_seed(run.name)
    steps = list(run.metrics.values_by_step)
    cells = [next((run.config[key] for key in keys if key in run.config), UNKNOWN) for _, keys in CONFIG_COLUMNS]
    if cells[-1] == UNKNOWN and seed is not None:
        cells[-1] = seed
    num_rollouts = str(len(run.rollout_files)) if run.rollout_files else UNKNOWN
    return [run.name, recipe, f"{steps[0]} to {steps[-1]}", *cells, num_rollouts]


def table_of_differences(runs: Sequence[RunFolder]) -> Table:
    """Return a header and a row for each key whose value is not the same in all runs that have a configuration."""
    known = [run for run in runs if run.config]
    keys = dict.fromkeys(key for run in known for key in run.config)
    rows = [[key, *(run.config.get(key, UNKNOWN) for run in known)] for key in keys if not key.endswith(PLACES)]
    differing = [row for row in rows if len(set(row[1:])) > 1]
    return [["key", *(run.name for run in known)], *differing] if differing else []


def rows_by_run(quantities: Table, names: Sequence[str]) -> Table:
    """Return a row for each run with the first and the last value of each quantity: many runs are rows, not columns.

    >>> rows_by_run([["quantity", "first", "last", "mean"], ["accuracy", "0.1", "0.3", "0.2"]], ["a"])
    [['run', 'accuracy'], ['a', '0.1 → 0.3']]
    """
    rows = [["run", *(row[0] for row in quantities[1:])]]
    for number, name in enumerate(names):
        pairs = [row[1 + 3 * number : 3 + 3 * number] for row in quantities[1:]]
        rows.append([name, *(UNKNOWN if first == UNKNOWN else f"{first} → {last}" for first, last in pairs)])
    return rows


def notes_with_runs(notes_of: Sequence[tuple[str, Sequence[str]]]) -> list[tuple[str, str]]:
    """Return each note once, after the runs that it is about.

    >>> notes_with_runs([("a", ["No config.yaml."]), ("b", ["No config.yaml.", "Crashed."])])
    [('every run', 'No config.yaml.'), ('b', 'Crashed.')]
    """
    runs_of: dict[str, list[str]] = {}
    for name, notes in notes_of:
        for note in notes:
            runs_of.setdefault(note, []).append(name)
    is_about_all = {note: len(names) == len(notes_of) > 1 for note, names in runs_of.items()}
    return [("every run" if is_about_all[note] else ", ".join(names), note) for note, names in runs_of.items()]
