"""A look at the training rows before the first step."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

logger = logging.getLogger(__name__)


def check_training_rows(rows: Iterable[Mapping[str, Any]], corrects: bool) -> None:
    """Refuse a training file with a row that cannot be graded; warn of rows that can be corrected less well.

    Args:
        rows: the dataset rows; `reward_model` and `extra_info` are read.
        corrects: whether error correction is on.

    Raises:
        ValueError: naming the row, if `reward_model.ground_truth` is missing or empty.
    """
    num_rows = num_without_solution = 0
    indices = set()
    for row_number, row in enumerate(rows):
        num_rows += 1
        ground_truth = (row.get("reward_model") or {}).get("ground_truth")
        if ground_truth is None or ground_truth == [] or not str(ground_truth).strip():
            raise ValueError(
                f"training row {row_number} (from 0) has no reward_model.ground_truth; add it or drop the row"
            )
        extra_info = row.get("extra_info") or {}
        indices.add(extra_info.get("index"))
        num_without_solution += not extra_info.get("solution")
    if corrects and num_without_solution:
        logger.warning(
            "%d of %d training rows have no extra_info.solution: where the solution strategy is drawn for them, "
            "the answer strategy is used and counted as edge_grpo/gec/answer_for_missing_solution",
            num_without_solution,
            num_rows,
        )
    if corrects and len(indices - {None}) < num_rows:
        logger.warning(
            "extra_info.index is missing or repeated in the training rows (%d different ones in %d rows): rows of the "
            "same index draw the same corrections in a step; number them to have each draw its own",
            len(indices - {None}),
            num_rows,
        )
