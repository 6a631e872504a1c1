"""Checks of the data: files, columns and their types, number of rows, reference answers, data sources."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow

from data_prep.problems.golds import gold_fault, is_certain
from recipe.edge_grpo.correction.reference import ground_truth_of, is_answer
from recipe.edge_grpo.run.preflight.findings import Finding, ok, refuse, warn
from recipe.edge_grpo.run.preflight.inputs import DataSet

FINAL_ANSWER_HELP = "keep the final answer alone, such as 72 of '… #### 72' (docs/data.md)"

ROWS_HELP = "docs/data.md has the columns of a row and the commands that make them"


def check_files(data_set: DataSet, is_this_machine: bool) -> Iterator[Finding]:
    """Refuse files that are missing or damaged; name what is not looked at."""
    for name in data_set.missing:
        if is_this_machine:
            yield refuse(f"{data_set.key}: {name} is not there", f"mend the path in {data_set.key}, or make the file")
        else:
            yield warn(f"{data_set.key}: {name} is not on this machine, and was not looked at")
    for file, fault in data_set.damage.items():
        yield refuse(f"{data_set.key}: {file} is damaged ({fault})", "make it again, or restore it")
    for name in data_set.left_alone:
        yield ok(f"{data_set.key}: {name} is no Parquet file of this machine, and was not looked at")
    if data_set.schemas:
        yield ok(f"{data_set.key}: {len(data_set.schemas)} file(s), {data_set.num_rows} rows")


def check_columns(key: str, schema: pyarrow.Schema, prompt_key: str, is_graded: bool) -> Iterator[Finding]:
    """Refuse a file without the columns that verl reads, or with prompts that are no lists of messages.

    Args:
        key: the setting that names the file.
        schema: of the file.
        prompt_key: `data.prompt_key`.
        is_graded: whether a reward function is called with the data source and the reference answer of a row.
    """
    has = ", ".join(schema.names)
    if prompt_key not in schema.names:
        yield refuse(f"{key}: no column {prompt_key!r} (data.prompt_key); the file has {has}", ROWS_HELP)
    elif not _holds_messages(schema.field(prompt_key).type):
        yield refuse(
            f"{key}: the column {prompt_key!r} holds {schema.field(prompt_key).type}, and verl needs lists of "
            "messages, each with role and content",
            ROWS_HELP,
        )
    if not is_graded:
        return
    if "data_source" not in schema.names:
        yield refuse(f"{key}: no column 'data_source', which is handed to the reward; the file has {has}", ROWS_HELP)
    if "reward_model" not in schema.names:
        yield refuse(f"{key}: no column 'reward_model', whose ground_truth is graded; the file has {has}", ROWS_HELP)
    elif not _has_field(schema.field("reward_model").type, "ground_truth"):
        yield refuse(
            f"{key}: the column 'reward_model' holds {schema.field('reward_model').type}, without a ground_truth",
            ROWS_HELP,
        )


def check_solutions(key: str, schemas: Iterable[pyarrow.Schema]) -> Iterator[Finding]:
    """Refuse files that have no reference solutions, of which one is to be in every group.

    >>> [finding.text for finding in check_solutions("data.train_files", [pyarrow.schema([])])]
    ['data.train_files: no extra_info.solution, and edge_grpo.gec.solution_in_every_group=True puts one in each group']
    """
    fields = [schema.field("extra_info").type for schema in schemas if "extra_info" in schema.names]
    if not any(_has_field(kind, "solution") for kind in fields):
        yield refuse(
            f"{key}: no extra_info.solution, and edge_grpo.gec.solution_in_every_group=True puts one in each group",
            "add solutions (docs/data.md), or set edge_grpo.gec.solution_in_every_group=False",
        )


def check_equal_types(key: str, schemas: Mapping[Any, pyarrow.Schema]) -> Iterator[Finding]:
    """Refuse files of one key whose columns of one name differ in type: verl cannot join them."""
    first: dict[str, tuple[Any, pyarrow.DataType]] = {}
    for file, schema in schemas.items():
        for field in schema:
            other, kind = first.setdefault(field.name, (file, field.type))
            if _plain(kind) != _plain(field.type) and not _has_null(kind) and not _has_null(field.type):
                yield refuse(
                    f"{key}: the column {field.name!r} holds {field.type} in {file} and {kind} in {other}",
                    "give it one type in all files (answers are all texts, or all lists of texts)",
                )


def check_num_rows(key: str, num_rows: int, batch_size: int, note: str = "") -> Iterator[Finding]:
    """Refuse fewer rows than one batch takes; `note` says what is left out of the count.

    >>> [finding.text for finding in check_num_rows("data.train_files", 4, 8)]
    ['data.train_files: 4 rows, and one batch takes data.train_batch_size=8']
    """
    if num_rows >= batch_size:
        return
    if batch_size == 1:
        yield refuse(f"{key}: no rows{note}", "name a file that has some")
    else:
        yield refuse(
            f"{key}: {num_rows} rows{note}, and one batch takes data.train_batch_size={batch_size}",
            f"set data.train_batch_size and actor_rollout_ref.actor.ppo_mini_batch_size to {num_rows} or less, "
            "or add rows" if num_rows else "add rows",
        )  # fmt: skip


def check_golds(
    key: str, rows: Sequence[Mapping[str, Any]], needs_gold: bool, is_own_reward: bool
) -> Iterator[Finding]:
    """Look for rows without a reference answer, and for answers that are no final answers.

    Refused where a row needs an answer: rows without one, and, by a reward that compares final answers, if all answers
    are certainly none. Another reward may read whatever its data have, such as the tests of a program.

    Args:
        key: the setting that names the files.
        rows: with `reward_model`.
        needs_gold: whether a row without one cannot be trained on; else there is one warning.
        is_own_reward: whether answers are compared with what a response has in its box.
    """
    golds = [ground_truth_of(row) for row in rows]
    empty = [number for number, gold in enumerate(golds) if not is_answer(gold)]
    if empty:
        text = (
            f"{key}: {len(empty)} of {len(rows)} rows have no reward_model.ground_truth, row {empty[0]} (from 0) first"
        )
        yield refuse(text, "add it or drop the rows") if needs_gold else warn(text)
    yield from _check_final_answers(key, golds, needs_gold and is_own_reward)
    lists = [number for number, gold in enumerate(golds) if isinstance(gold, str) and _looks_like_list(gold)]
    if lists and len(lists) < len(golds):
        yield warn(
            f"{key}: reward_model.ground_truth is a list written as text in {len(lists)} of {len(rows)} rows, row "
            f"{lists[0]} (from 0) first, and a plain text in the others",
            "a list of accepted answers must be a list, in every row of a file",
        )


def _check_final_answers(key: str, golds: Sequence[Any], needs_final_answers: bool) -> Iterator[Finding]:
    first_rows: dict[str, int] = {}
    counts: Counter[str] = Counter()
    for number, gold in enumerate(golds):
        if (fault := _fault_of(gold)) is not None:
            first_rows.setdefault(fault, number)
            counts[fault] += 1
    certain = {fault: count for fault, count in counts.items() if is_certain(fault)}
    are_all = bool(golds) and sum(certain.values()) == len(golds)
    if certain:
        say = refuse if are_all and needs_final_answers else warn
        yield say(_count_faults(key, certain, first_rows, len(golds)), FINAL_ANSWER_HELP)
    doubtful = {fault: count for fault, count in counts.items() if not is_certain(fault)}
    if 2 * sum(doubtful.values()) >= max(1, len(golds)):
        yield warn(_count_faults(key, doubtful, first_rows, len(golds)), FINAL_ANSWER_HELP)


def _fault_of(ground_truth: Any) -> str | None:
    """Return what is wrong with an answer, or with the first of several that has a fault; None for no answer."""
    if not is_answer(ground_truth):
        return None
    alternatives = ground_truth if isinstance(ground_truth, list | tuple) else [ground_truth]
    return next((fault for each in alternatives if (fault := gold_fault(str(each))) is not None), None)


def _count_faults(key: str, counts: Mapping[str, int], first_rows: Mapping[str, int], num_rows: int) -> str:
    parts = [f"{fault} in {count}, row {first_rows[fault]} (from 0) first" for fault, count in counts.items()]
    return (
        f"{key}: reward_model.ground_truth is no final answer in {sum(counts.values())} of {num_rows} rows: "
        f"{'; '.join(parts)}"
    )


def check_data_sources(key: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Warn of rows whose data source is empty: validation reports by it, and a reward may choose by it."""
    empty = [number for number, row in enumerate(rows) if not str(row.get("data_source") or "").strip()]
    if empty:
        yield warn(
            f"{key}: data_source is empty in {len(empty)} of {len(rows)} rows, row {empty[0]} (from 0) first",
            "name the source: validation reports by it, and a reward may choose by it",
        )


def _looks_like_list(text: str) -> bool:
    return text.startswith(("['", '["')) and text.endswith(("']", '"]'))


def _holds_messages(kind: pyarrow.DataType) -> bool:
    is_list = pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind)
    return bool(is_list) and _has_field(kind.value_type, "role") and _has_field(kind.value_type, "content")


def _has_field(kind: pyarrow.DataType, name: str) -> bool:
    return bool(pyarrow.types.is_struct(kind)) and bool(kind.get_field_index(name) >= 0)


def _has_null(kind: pyarrow.DataType) -> bool:
    return "null" in str(kind)


def _plain(kind: pyarrow.DataType) -> str:
    return str(kind).replace("large_", "")
