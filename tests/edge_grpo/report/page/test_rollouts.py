import json

import pytest
from support.run_folders import PLAIN, corrected, write_run_folder

from recipe.edge_grpo.report.metrics_file import read_metrics
from recipe.edge_grpo.report.page.rollout_figures import draw_rollouts
from recipe.edge_grpo.report.page.rollouts import (
    evenly_chosen,
    groups_of,
    number_in,
    read_rollouts,
    with_entropy_by_strategy,
)
from recipe.edge_grpo.report.run_folder import read_run_folder

pytestmark = pytest.mark.slow


def read(folder, **options):
    return read_rollouts(read_run_folder(folder, read_metrics(folder), 3), **options)


@pytest.mark.parametrize("number", [1, 2, 3, 12])
def test_chosen_steps_are_distinct_in_order_and_end_with_the_last(number):
    chosen = evenly_chosen(range(1, 1001), number)
    assert len(chosen) == number and chosen == sorted(set(chosen)) and chosen[-1] == 1000
    assert number == 1 or chosen[0] == 1


def test_of_a_long_run_some_steps_are_read(tmp_path):
    folder = write_run_folder(tmp_path / "run", rollouts={step: [PLAIN] for step in range(1, 101)})
    assert list(read(folder, max_steps=3).groups_by_step) == [1, 51, 100]


def test_the_column_group_comes_first_then_the_name_in_uid_then_the_prompt():
    with_group = [{"group": 1, "uid": "a_0_0"}, {"group": 0, "uid": "a_1_0"}]
    assert len(groups_of(with_group)) == 2
    assert len(groups_of([{"uid": "x_0_0", "input": "hinted"}, {"uid": "x_1_0", "input": "plain"}])) == 1
    assert [len(group) for group in groups_of([{"input": "p"}, {"input": "q"}, {"input": "p"}])] == [2, 1]


def test_a_line_that_is_cut_off_or_of_another_program_is_skipped_and_noted(tmp_path):
    folder = write_run_folder(tmp_path / "run", rollouts={1: [PLAIN], 2: []})
    with (folder / "rollouts" / "1.jsonl").open("a") as dump:
        dump.write('{"loss": 1}\n[1]\n' + json.dumps(PLAIN)[:20])
    rollouts = read(folder)
    assert list(rollouts.groups_by_step) == [1] and rollouts.responses(1) == [PLAIN]
    assert rollouts.notes == ["1.jsonl of the rollouts: 3 lines cannot be read."]


def test_a_number_is_a_finite_number_and_nothing_else():
    assert number_in({"a": True, "b": "1", "c": float("nan"), "d": float("inf"), "e": 2}, *"abcde") == 2.0
    assert number_in({}, "a") is None


def test_entropy_by_strategy_is_the_mean_of_its_responses_at_the_steps_that_were_read(tmp_path):
    responses = [
        corrected("a_0_0", 0.0, 1.0, "answer", entropy=0.5),
        corrected("a_1_0", 0.0, 1.0, "answer", entropy=0.1),
        corrected("a_2_0", 1.0, 1.0, entropy=0.2),
        corrected("a_3_0", 1.0, 1.0, entropy=None),
    ]
    folder = write_run_folder(tmp_path / "run", rollouts={2: responses})
    metrics = with_entropy_by_strategy(read_metrics(folder), read(folder))
    assert metrics.series("rollouts/entropy/answer") == ([2], [pytest.approx(0.3)])  # (0.5 + 0.1) / 2
    assert metrics.series("rollouts/entropy/not corrected") == ([2], [0.2])
    assert metrics.series("timing_s/gen")[0] == [1, 2, 3]


def test_entropy_against_correctness_is_drawn_for_the_ends_and_over_the_steps(tmp_path):
    responses = [corrected("a_0_0", 0.0, 1.0, "answer"), corrected("a_1_0", 0.0, 0.0, entropy=0.75)]
    folder = write_run_folder(tmp_path / "run", rollouts={1: responses, 2: responses[:1], 3: responses})
    figures = draw_rollouts("run", 0, read(folder), tmp_path)
    assert [figure.title.split(":")[0] for figure in figures] == ["run, step 1", "run, step 3", "run", "run"]
    assert "1 correct, 1 wrong" in figures[0].title
    assert (tmp_path / "entropy_over_steps-0.png").exists()


def test_without_an_entropy_nothing_is_drawn_and_equal_ratios_have_no_histogram(tmp_path):
    folder = write_run_folder(tmp_path / "run", rollouts={1: [PLAIN]})
    assert draw_rollouts("run", 0, read(folder), tmp_path) == []
    without_eda = write_run_folder(tmp_path / "b", rollouts={1: [corrected("a_0_0", 1.0, 1.0, entropy_ratio=1.0)]})
    assert [figure.title for figure in draw_rollouts("b", 0, read(without_eda), tmp_path)] == [
        "b, step 1: 1 correct, 0 wrong; dashed: their means",
        "b: mean and middle half, 1 steps",
    ]
