"""Data files that cannot be read, and training rows that cannot be graded, are refused with key, file and row.

A loader's own error names neither the key nor the file.
"""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
from omegaconf import DictConfig, ListConfig

from recipe.edge_grpo.correction.reference import answer_of, solution_of
from recipe.edge_grpo.run.preflight.inputs import DATA_FILE_KEYS, describe_damage
from recipe.edge_grpo.settings.block import EdgeGRPOSettings

logger = logging.getLogger(__name__)


def check_data_files(data: DictConfig) -> None:
    """Refuse a local Parquet file that is damaged; all of each is read, which takes as long as loading it.

    Files that are not there, or not on this machine, are left to verl; so are other formats.

    Args:
        data: the block `data:` of the configuration.

    Raises:
        ValueError: naming the key and the file.
    """
    for key in DATA_FILE_KEYS:
        files = data.get(key) or ()
        for file in _local_parquet_files([files] if isinstance(files, str) else files):
            fault = _find_fault(file)
            if fault is not None:
                raise ValueError(f"data.{key}: {file} is damaged ({fault}); make it again, or restore it")


def checkable_rows(dataset: Any) -> Iterable[Mapping[str, Any]] | None:
    """Return `reward_model` and `extra_info` of the rows, None for a dataset that keeps them otherwise than verl's.

    A dataset class of the user's may stream, or make each row when it is asked for.
    """
    dataframe: Any = getattr(dataset, "dataframe", None)
    if not (hasattr(dataframe, "select_columns") and hasattr(dataframe, "__len__")):  # a stream has no length
        return None
    columns = [name for name in ("reward_model", "extra_info") if name in dataframe.column_names]
    return dataframe.select_columns(columns) if columns else [{}] * len(dataframe)


def check_training_rows(rows: Iterable[Mapping[str, Any]], settings: EdgeGRPOSettings, needs_gold: bool = True) -> None:
    """Refuse a training file with a row that cannot be graded; warn of rows that can be corrected less well.

    Args:
        rows: the dataset rows; `reward_model` and `extra_info` are read.
        settings: the block `edge_grpo:`.
        needs_gold: whether a row without a reference answer cannot be used.

    Raises:
        ValueError: naming the row, if `reward_model.ground_truth` is missing or empty, and is needed; or if a solution
            is to be in every group, and no row has one.
    """
    corrects, puts_solutions = settings.gec.enabled, settings.gec.enabled and settings.gec.solution_in_every_group
    num_rows = num_without_answer = num_without_solution = 0
    indices = set()
    for row_number, row in enumerate(rows):
        num_rows += 1
        has_answer = answer_of(row) is not None
        if needs_gold and not has_answer:
            raise ValueError(
                f"training row {row_number} (from 0) has no reward_model.ground_truth; add it or drop the row"
            )
        extra_info = row.get("extra_info")
        indices.add(extra_info.get("index") if isinstance(extra_info, Mapping) else None)
        num_without_answer += not has_answer
        num_without_solution += solution_of(row) is None
    if puts_solutions and num_without_solution:
        _judge_missing_solutions(num_without_solution, num_rows)
    elif corrects and num_without_solution:
        logger.warning(
            "%d of %d training rows have no extra_info.solution: where the solution strategy is drawn for them, "
            "the answer strategy is used and counted as edge_grpo/gec/answer_for_missing_solution; they get no hint",
            num_without_solution,
            num_rows,
        )
    if corrects and not puts_solutions and num_without_answer:
        logger.warning(
            "%d of %d training rows have no reward_model.ground_truth: where the answer strategy is drawn for them, "
            "nothing is corrected, and counted as edge_grpo/gec/skipped_no_answer",
            num_without_answer,
            num_rows,
        )
    if (corrects or settings.seeds_responses) and len(indices - {None}) < num_rows:
        logger.warning(
            "extra_info.index is missing or repeated in the training rows (%d different ones in %d rows): rows of the "
            "same index draw the same corrections and seeds in a step; number them to have each draw its own",
            len(indices - {None}),
            num_rows,
        )


def _judge_missing_solutions(num_missing: int, num_rows: int) -> None:
    """Refuse rows of which none has the solution that is to be in its group; warn where some have none."""
    if num_missing == num_rows:
        raise ValueError(
            f"edge_grpo.gec.solution_in_every_group=True, and none of {num_rows} training rows has an "
            "extra_info.solution; add solutions (docs/data.md), or set edge_grpo.gec.solution_in_every_group=False"
        )
    logger.warning(
        "%d of %d training rows have no extra_info.solution: their groups stay as they are sampled, and count as "
        "edge_grpo/gec/skipped_no_solution",
        num_missing,
        num_rows,
    )


def _local_parquet_files(files: Iterable[str] | ListConfig) -> list[Path]:
    return [Path(file) for file in files if str(file).endswith(".parquet") and Path(file).is_file()]


def _find_fault(file: Path) -> str | None:
    try:
        with pyarrow.parquet.ParquetFile(file) as opened:
            for _ in opened.iter_batches():
                pass
    except (pyarrow.ArrowException, OSError) as error:
        return describe_damage(error)
    return None
