"""Defines a graded response, and writes and reads the Parquet file that holds the responses of an evaluation.

The file is written whole or not at all, in order of the keys and with a fixed schema: the same responses give the same
bytes under the same version of pyarrow, in whatever order they were sampled.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow
import pyarrow.parquet

from data_prep.writing.files import replacing_files


class ResponseKey(NamedTuple):
    """What tells one response of an evaluation from all others."""

    benchmark: str
    problem_index: int
    sample_index: int
    temperature: float
    reflection_text: str | None


@dataclass(frozen=True)
class GradedResponse:
    """One response of the policy to one problem, graded.

    Attributes:
        benchmark: the `data_source` of the problem.
        problem_index: number of the problem in its benchmark.
        sample_index: numbers the responses to one problem at one temperature.
        temperature: the response was sampled at.
        reflection_text: None for a first pass; else the text after which the policy continued a wrong first pass.
        prompt: as the policy saw it.
        response: as the policy wrote it.
        ground_truth: the accepted answer; the text of a JSON list if several are accepted.
        accuracy: 1.0 for a correct response, 0.0 for a wrong one.
        has_box: True if the response has an answer in a box.
        verify_status: how the grader came to its verdict.
        num_tokens: length of the response.
        finish_reason: why sampling ended; "length" for a truncated response.
        mean_entropy: policy entropy in nats, mean over the tokens of the response; None if it was not measured.

    Raises ValueError, naming the key, for an accuracy other than 0 and 1 (pass@k counts correct responses), and for a
    temperature or an entropy that is not finite.
    """

    benchmark: str
    problem_index: int
    sample_index: int
    temperature: float
    reflection_text: str | None
    prompt: str
    response: str
    ground_truth: str
    accuracy: float
    has_box: bool
    verify_status: str
    num_tokens: int
    finish_reason: str
    mean_entropy: float | None

    def __post_init__(self) -> None:
        if self.accuracy not in (0.0, 1.0):
            raise ValueError(f"{self.key}: accuracy must be 0 or 1, got {self.accuracy!r}")
        for name, value in (("temperature", self.temperature), ("mean_entropy", self.mean_entropy)):
            # A negative entropy is let pass: of a policy that is certain, rounding can make one.
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{self.key}: {name} must be a finite number, got {value!r}")

    @property
    def key(self) -> ResponseKey:
        return ResponseKey(
            self.benchmark, self.problem_index, self.sample_index, self.temperature, self.reflection_text
        )

    @property
    def is_correct(self) -> bool:
        return self.accuracy == 1


# Large strings: the prompts and responses of a whole evaluation can exceed the 2 GiB that offsets of 32 bits reach.
_TEXT = pyarrow.large_string()
SCHEMA = pyarrow.schema(
    [
        pyarrow.field("benchmark", _TEXT, nullable=False),
        pyarrow.field("problem_index", pyarrow.int64(), nullable=False),
        pyarrow.field("sample_index", pyarrow.int64(), nullable=False),
        pyarrow.field("temperature", pyarrow.float64(), nullable=False),
        pyarrow.field("reflection_text", _TEXT),
        pyarrow.field("prompt", _TEXT, nullable=False),
        pyarrow.field("response", _TEXT, nullable=False),
        pyarrow.field("ground_truth", _TEXT, nullable=False),
        pyarrow.field("accuracy", pyarrow.float64(), nullable=False),
        pyarrow.field("has_box", pyarrow.bool_(), nullable=False),
        pyarrow.field("verify_status", _TEXT, nullable=False),
        pyarrow.field("num_tokens", pyarrow.int64(), nullable=False),
        pyarrow.field("finish_reason", _TEXT, nullable=False),
        pyarrow.field("mean_entropy", pyarrow.float64()),
    ]
)


def check_distinct(responses: Iterable[GradedResponse]) -> None:
    """Raise ValueError, naming the key, if two responses have the same key."""
    for key, count in Counter(response.key for response in responses).items():
        if count > 1:
            raise ValueError(f"{count} responses have the same key: {key}")


def write_responses(responses: Sequence[GradedResponse], path: Path) -> None:
    """Write the responses to `path`; folders are made as needed. Raises ValueError for two of the same key."""
    check_distinct(responses)
    rows = [asdict(response) for response in sorted(responses, key=_order)]
    table = pyarrow.Table.from_pylist(rows, schema=SCHEMA)
    with replacing_files(path.parent) as folder:
        pyarrow.parquet.write_table(table, folder / path.name)


def read_responses(path: Path) -> list[GradedResponse]:
    """Return the responses that `write_responses` wrote to `path`.

    Raises OSError if there is no such file, and ValueError, naming it, if it holds something else.
    """
    try:
        with path.open("rb") as file:
            rows = pyarrow.parquet.read_table(file, columns=SCHEMA.names).to_pylist()
        return [GradedResponse(**row) for row in rows]
    except (TypeError, ValueError, pyarrow.ArrowException) as error:  # TypeError: a column is not there.
        raise ValueError(f"{path}: no responses of an evaluation: {error}") from error


def _order(response: GradedResponse) -> tuple[str, int, int, float, bool, str]:
    """Return the key in a form that can be sorted: a first pass comes before its continuations."""
    reflection_text = response.reflection_text
    return (*response.key[:4], reflection_text is not None, reflection_text or "")
