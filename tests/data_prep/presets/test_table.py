"""Every preset reads every row of the datasets it is for: problem, answers, solution and rate."""

import json

import pyarrow
import pyarrow.parquet
import pytest
from support.datasets_as_published import PUBLISHED, UNANSWERABLE, VARIANTS

from data_prep.presets.fields import BadRow, Field
from data_prep.presets.table import BOX_INSTRUCTION, COLUMNS_PRESET, PRESETS, presets_that_fit
from data_prep.sources.records import read_records
from reward_fns.math_reward import grade

DATASETS = {**{name: (name, rows) for name, rows in PUBLISHED.items()}, **VARIANTS}
ROWS = [
    pytest.param(preset, row, id=f"{dataset}-{number}")
    for dataset, (preset, rows) in DATASETS.items()
    for number, row in enumerate(rows, start=1)
]


def as_texts(value):
    return tuple(map(str, value)) if isinstance(value, list | tuple) else (str(value),)


def rate_of(preset, record):
    return preset.correctness_rate and preset.correctness_rate.value(record)


@pytest.mark.parametrize(("name", "row"), [row for row in ROWS if row.values[1].is_bad is None])
def test_a_good_row_is_read_field_by_field(name, row):
    preset = PRESETS[name]
    assert preset.problem.value(row.record) == row.problem
    assert as_texts(preset.answer.value(row.record)) == row.answers
    assert ((preset.solution and preset.solution.value(row.record)) or "") == row.solution
    assert rate_of(preset, row.record) == row.correctness_rate


@pytest.mark.parametrize(("name", "row"), [row for row in ROWS if row.values[1].is_bad is not None])
def test_a_bad_row_is_refused_with_its_reason(name, row):
    preset = PRESETS[name]
    try:
        preset.problem.value(row.record)
        answer = preset.answer.value(row.record)
    except BadRow as error:
        assert error.reason == row.is_bad
    else:
        assert answer is None if row.is_bad == "no answer" else row.is_bad == UNANSWERABLE


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_dataset_has_enough_rows_and_columns_of_one_name(dataset):
    _, rows = DATASETS[dataset]
    assert sum(row.is_bad is None for row in rows) >= 20
    assert len({tuple(sorted(row.record)) for row in rows}) == 1


def test_every_preset_has_rows():
    assert list(PUBLISHED) == list(PRESETS)
    assert all(any(row.is_bad for row in rows) for rows in PUBLISHED.values())


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
@pytest.mark.parametrize("dataset", DATASETS)
def test_rows_read_from_a_file_give_the_same(tmp_path, dataset, ending):
    preset, rows = PRESETS[DATASETS[dataset][0]], DATASETS[dataset][1]
    path = tmp_path / f"rows.{ending}"
    records = [row.record for row in rows]
    if ending == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(records), path)
    else:
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    for row, record in zip(rows, read_records(str(path)), strict=True):
        if row.is_bad is None:
            assert preset.problem.value(record) == row.problem
            assert as_texts(preset.answer.value(record)) == row.answers
            assert ((preset.solution and preset.solution.value(record)) or "") == row.solution


@pytest.mark.parametrize("dataset", [name for name in DATASETS if name != "omni_math"])
def test_the_reward_accepts_the_solution(dataset):
    """Omni-MATH is left out: its solutions rarely have a box."""
    solved = [row for row in DATASETS[dataset][1] if row.solution]
    assert [grade(row.solution, list(row.answers)) for row in solved[:4]] == [1.0] * len(solved[:4])


def test_thoughts_are_kept_where_that_is_asked_for():
    for name in ("openr1", "deepmath", "openmathreasoning", "luffy", "messages"):
        record = PUBLISHED[name][0].record
        solution = PRESETS[name].with_thinking().solution.value(record)
        assert "</think>" in solution
        assert solution.endswith(PUBLISHED[name][0].solution)
        assert PRESETS[name].with_thinking().problem == PRESETS[name].problem
    assert PRESETS["dapo"].with_thinking() == PRESETS["dapo"]


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_dataset_fits_its_preset_or_is_a_verl_row(dataset):
    preset, rows = DATASETS[dataset]
    assert {preset, "verl"} & set(presets_that_fit(rows[0].record))


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (("question", "answer"), ["gsm8k"]),
        (("problem", "level", "type", "solution"), ["math", "numina"]),
        (("problem", "answer", "llama8b_solve_rate"), ["big_math"]),
        (("problem", "answer", "generations", "solution"), ["openr1"]),
        (("question", "options", "answer", "answer_index", "cot_content"), ["mmlu_pro"]),
        (("conversations",), ["messages"]),
        (("text",), []),
    ],
)
def test_a_hint_names_the_presets_that_read_most_columns(columns, names):
    assert presets_that_fit(dict.fromkeys(columns)) == names


def test_columns_without_a_preset():
    record = {"problem": f"1+1? {BOX_INSTRUCTION}", "answer": 2, "solution": "Two.", "correctness_rate": 0.5}
    fields = (COLUMNS_PRESET.problem, COLUMNS_PRESET.answer, COLUMNS_PRESET.solution, COLUMNS_PRESET.correctness_rate)
    assert [field.value(record) for field in fields] == ["1+1?", 2, "Two.", 0.5]


def test_only_the_papers_own_dataset_has_no_instruction():
    assert {name for name, preset in PRESETS.items() if preset.instruction != BOX_INSTRUCTION} == {"deepscaler"}
    assert PRESETS["deepscaler"].instruction == ""


def test_rows_are_called_by_the_preset_or_by_their_own_name():
    named = {name: preset.data_source for name, preset in PRESETS.items()}
    assert {name for name, source in named.items() if source != name} == {"verl", "messages"}
    assert isinstance(named["verl"], Field)
    assert named["verl"].value(PUBLISHED["verl"][0].record) == "openai/gsm8k"
    assert named["messages"] is None


def test_every_description_fits_on_a_line():
    assert all("\n" not in preset.described and len(preset.described) <= 120 for preset in PRESETS.values())
