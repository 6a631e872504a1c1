"""Reads the rows of the paper's two main tables from published.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

_DATA_FILE = Path(__file__).with_name("published.yaml")


@dataclass(frozen=True)
class PublishedRow:
    """One row, in per cent as printed."""

    training_data: str
    model: str
    method: str
    average: float
    """Sample-weighted."""
    accuracies: Mapping[str, float]
    """By benchmark."""


@dataclass(frozen=True)
class PublishedResults:
    """The rows of both tables, and what holds for all of them."""

    temperature: float
    samples_per_problem: int
    num_problems: Mapping[str, int]
    """By benchmark, in the order of the columns."""
    rows: tuple[PublishedRow, ...]
    remarks: tuple[str, ...]
    """Sentences that belong below the tables."""


def published_results() -> PublishedResults:
    """Read the published rows, in the order of the tables."""
    data = yaml.safe_load(_DATA_FILE.read_text(encoding="utf-8"))
    benchmarks = data["benchmarks"]
    rows = [
        PublishedRow(table["training_data"], model, method, average, dict(zip(benchmarks, accuracies, strict=True)))
        for table in data["tables"]
        for model, method, average, accuracies in table["rows"]
    ]
    return PublishedResults(
        data["temperature"], data["samples_per_problem"], benchmarks, tuple(rows), tuple(data["remarks"])
    )
