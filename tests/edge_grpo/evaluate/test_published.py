"""The published rows against what they state of themselves and, where it is present, against the reference file."""

import re
from pathlib import Path

import pytest

from recipe.edge_grpo.evaluate.published import published_results
from recipe.edge_grpo.evaluate.statistics import sample_weighted_average

REFERENCE = Path(__file__).resolve().parents[4] / "shared" / "reference" / "paper.md"
MODELS = {"1.5B": "Qwen2.5-Math-1.5B", "7B": "Qwen2.5-Math-7B"}


@pytest.fixture(scope="module")
def published():
    return published_results()


def test_the_suite_has_1560_problems_and_every_row_all_benchmarks(published):
    assert sum(published.num_problems.values()) == 1560
    assert published.temperature == 0.1 and published.samples_per_problem == 1
    assert {tuple(row.accuracies) for row in published.rows} == {tuple(published.num_problems)}


def test_every_printed_average_but_one_is_the_sample_weighted_one_and_a_remark_names_the_exception(published):
    differing = {}
    for row in published.rows:
        average = sample_weighted_average(row.accuracies, published.num_problems)
        if abs(average - row.average) > 0.02:
            differing[row.training_data, row.model, row.method] = (f"{average:.2f}", f"{row.average:.2f}")
    assert differing == {("DeepScaleR-Random-1K", "Qwen2.5-Math-7B", "EDGE-GRPO"): ("49.04", "49.30")}
    (remark,) = (remark for remark in published.remarks if "49.04" in remark)
    assert all(part in remark for part in ("49.30", *next(iter(differing))))


def test_every_accuracy_is_a_whole_number_of_problems(published):
    for row in published.rows:
        for benchmark, accuracy in row.accuracies.items():
            num_problems = published.num_problems[benchmark]
            nearest = 100 * round(accuracy / 100 * num_problems) / num_problems
            assert f"{accuracy:.2f}" == f"{nearest:.2f}", (row, benchmark)


def test_all_rows_are_those_of_the_reference(published):
    if not REFERENCE.exists():
        pytest.skip("needs paper.md in shared/reference beside the repository")
    sections = re.findall(r"### 6\.[12] (\S+?),? .*?\n(.*?)\n\n", REFERENCE.read_text(encoding="utf-8"), re.DOTALL)
    expected = []
    for training_data, table in sections:
        for line in table.splitlines()[2:]:
            model, method, *numbers = (cell.strip() for cell in line.strip("|").split("|"))
            printed = tuple(float(number.split()[0]) for number in numbers)
            expected.append((training_data, MODELS[model], method, *printed))
    rows = [(row.training_data, row.model, row.method, row.average, *row.accuracies.values()) for row in published.rows]
    assert rows == expected and len(rows) == 22
