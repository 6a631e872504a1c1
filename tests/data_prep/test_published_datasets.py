"""Every preset on rows in its dataset's own schema, from columns to grades; docs/data.md has the counts."""

import asyncio
import json
from pathlib import Path

import pyarrow.parquet
import pytest
from support.datasets_as_published import PUBLISHED, VARIANTS

from data_prep import prepare
from data_prep.presets.table import PRESETS
from data_prep.quality.answer_forms import FORMS, alter, forms_asked
from reward_fns.math_reward import compute_score

DOCS = Path(__file__).parents[2] / "docs" / "data.md"

DATASETS = {name: (name, rows) for name, rows in PUBLISHED.items()} | VARIANTS


@pytest.fixture(scope="module", params=DATASETS)
def dataset(request, tmp_path_factory):
    """The name of a dataset, its preset, its rows as published, and the rows that the command made of them."""
    preset, published = DATASETS[request.param]
    folder = tmp_path_factory.mktemp("dataset")
    source = folder / "published.jsonl"
    source.write_text("".join(json.dumps(row.record) + "\n" for row in published))
    prepare.main(["--input", str(source), "--preset", preset, "--skip-bad-rows", "--output-dir", str(folder)])
    return request.param, preset, published, pyarrow.parquet.read_table(folder / "train.parquet").to_pylist()


def is_as_published(row, published, preset):
    instruction = PRESETS[preset].instruction
    prompt = f"{published.problem} {instruction}" if instruction else published.problem
    answers = row["reward_model"]["ground_truth"]
    return (
        row["prompt"] == [{"role": "user", "content": prompt}]
        and (tuple(answers) if isinstance(answers, list) else (answers,)) == published.answers
        and row["extra_info"]["solution"] == published.solution
    )


def share_credited(rows, make_answer):
    """The share of rows, in percent, whose reward credits each answer in the form that the row's prompt asks for."""

    async def accuracy(row):
        gold = row["reward_model"]["ground_truth"]
        asked = list(forms_asked([row["prompt"][0]["content"]])) or [r"\boxed"]
        responses = [FORMS[asked[0]] % make_answer(each) for each in (gold if isinstance(gold, list) else [gold])]
        return min([(await compute_score(row["data_source"], response, gold))["acc"] for response in responses])

    async def mean_accuracy():
        return sum([await accuracy(row) for row in rows]) / len(rows)

    return f"{100 * asyncio.run(mean_accuracy()):.0f} %"


def test_rows_are_right_by_content_and_credit_right_answers_only_as_the_docs_say(dataset):
    name, preset, published, rows = dataset
    good = [row for row in published if row.is_bad is None]
    assert 20 <= len(good) <= len(published) <= 40
    num_right = sum(is_as_published(row, expected, preset) for row, expected in zip(rows, good, strict=True))
    counts = [len(published), len(published) - len(good), num_right, sum(bool(row.solution) for row in good)]
    credited = [share_credited(rows, str), share_credited(rows, alter)]
    assert (num_right, *credited) == (len(good), "100 %", "0 %")
    described = PRESETS[preset].described if name == preset else name
    line = " | ".join([f"`{preset}`", described, *map(str, counts), *credited])
    assert f"| {line} |" in DOCS.read_text()


def test_the_docs_list_every_preset():
    text = DOCS.read_text()
    assert [name for name in PRESETS if f"| `{name}` |" not in text] == []
