"""Runs of the laboratory: their files, their numbers, and the command."""

import json
import shutil
from itertools import islice

import pytest

from data_prep.writing.rows import write_parquet
from recipe.edge_grpo.laboratory import rollout
from recipe.edge_grpo.laboratory.__main__ import main
from recipe.edge_grpo.laboratory.rollout import Sizes
from recipe.edge_grpo.laboratory.study.records import read_entries, thin
from recipe.edge_grpo.laboratory.supervised import supervised_loss
from recipe.edge_grpo.laboratory.training import TrainingPlan, draw_rows, load_policy, train, validate
from recipe.edge_grpo.names import METRICS_FILE
from recipe.edge_grpo.report.metrics_file import read_metrics

pytestmark = pytest.mark.process

PLAN = TrainingPlan(num_steps=2, validates_every=2, sizes=Sizes(num_prompts=3, group_size=4))


@pytest.fixture
def trained(untrained_model, rows, config, tmp_path):
    """trained(recipe, folder): {step: metrics} of two steps."""

    def trained(name, folder="run", **plan):
        policy = load_policy(untrained_model)
        plan = TrainingPlan(**{**vars(PLAN), **plan})
        return train(config(name), policy, rows[:12], rows[12:], plan, tmp_path / folder)

    return trained


def test_a_run_is_reported_on_like_one_of_verl(trained, tmp_path):
    history = trained("edge_grpo")
    assert list(history) == [0, 1, 2]
    metrics = read_metrics(tmp_path / "run")
    assert list(metrics.values_by_step) == [0, 1, 2]
    assert metrics.series("val-core/arithmetic/acc/mean@1")[0] == [0, 2]
    assert metrics.series("edge_grpo/groups/zero_variance_before_gec") == ([1, 2], [1.0, 1.0])
    assert history[1]["actor/grad_norm"] > 0


def test_the_same_arguments_give_the_same_numbers_and_another_seed_others(trained, tmp_path):
    def numbers(history):
        return [(name, value) for of in history.values() for name, value in of.items() if "timing" not in name]

    first, again, other = trained("edge_grpo", "a"), trained("edge_grpo", "b"), trained("edge_grpo", "c", seed=1)
    assert numbers(first) == numbers(again)
    assert numbers(first) != numbers(other)


def test_tokens_that_were_sampled_are_counted_without_validation(trained):
    history = trained("grpo")
    # 3 prompts x 4 responses of 1 to 128 tokens
    assert all(12 <= history[step]["laboratory/tokens_sampled"] <= 12 * 128 for step in (1, 2))
    assert "laboratory/tokens_sampled" not in history[0]


def test_a_run_that_finds_no_contrast_ends_with_the_policy_that_it_has(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(rollout, "MAX_BATCHES", 2)
    history = trained("dapo", num_steps=5, validates_every=5)  # an untrained policy is never right
    assert list(history) == [0, 1]
    assert history[1]["val-core/arithmetic/acc/mean@1"] == history[0]["val-core/arithmetic/acc/mean@1"]
    assert history[1]["laboratory/tokens_sampled"] >= 2 * 12  # two batches of 3 prompts x 4 responses were looked at
    assert "the run ends early: step 1: 0 of 6 groups have contrast, 3 are needed" in capsys.readouterr().err
    assert thin(read_entries(tmp_path / "run" / METRICS_FILE))[0] == [0, 1]


def test_the_control_learns_the_reference_solutions_and_samples_nothing(untrained_model, rows, tmp_path):
    plan = TrainingPlan(num_steps=8, learning_rate=3e-3, validates_every=8, sizes=PLAN.sizes)
    history = train(None, load_policy(untrained_model), rows[:12], rows[12:], plan, tmp_path / "run")
    assert history[8]["actor/pg_loss"] < history[1]["actor/pg_loss"] - 0.5
    assert {history[step]["laboratory/tokens_sampled"] for step in range(1, 9)} == {0}


def test_the_loss_of_the_control_is_the_mean_over_all_tokens_of_the_solutions(policy, rows):
    of_rows = [supervised_loss(policy, [row]) for row in rows[:2]]
    num_tokens = [len(policy.tokenizer.encode(row["extra_info"]["solution"])) + 1 for row in rows[:2]]  # and the end
    mean = sum(loss * count for loss, count in zip(of_rows, num_tokens, strict=True)) / sum(num_tokens)
    assert supervised_loss(policy, rows[:2]).item() == pytest.approx(mean.item(), rel=1e-5)


def test_the_control_needs_solutions(policy, rows):
    row = {**rows[0], "extra_info": {"index": 7, "solution": ""}}
    with pytest.raises(ValueError, match="row 7 has no extra_info.solution"):
        supervised_loss(policy, [row])


def test_validation_is_the_share_of_right_greedy_responses(policy, rows, monkeypatch):
    answers = iter([rf"\boxed{{{row['reward_model']['ground_truth']}}}" for row in rows[:3]] + ["no box"])
    monkeypatch.setattr(policy, "decode", lambda _: next(answers))
    assert validate(policy, rows[:4], PLAN.sizes) == {"val-core/arithmetic/acc/mean@1": 0.75}


def test_an_epoch_has_every_row_once_in_an_order_of_its_own():
    rows = draw_rows([{"number": number} for number in range(7)], 3, seed=0)
    numbers = [[row["number"] for row in islice(rows, 6)] for _ in range(2)]  # two batches of three an epoch
    assert all(len(set(epoch)) == 6 for epoch in numbers)
    assert numbers[0] != numbers[1]


def test_fewer_rows_than_a_step_takes_are_refused():
    with pytest.raises(ValueError, match="2 training rows, and a step takes 3"):
        next(draw_rows([{}, {}], 3, seed=0))


@pytest.fixture
def arguments(untrained_model, rows, tmp_path):
    write_parquet(rows, tmp_path / "rows.parquet")
    files = ["--train", tmp_path / "rows.parquet", "--val", tmp_path / "rows.parquet", "--model", untrained_model]
    return [*map(str, files), "--output-dir", str(tmp_path / "runs")]


def test_the_command_trains_each_recipe_with_each_seed_and_prints_a_table(arguments, tmp_path, capsys):
    assert main([*arguments, "--recipe", "grpo", "edge_grpo", "--seeds", "0", "1", "--steps", "1"]) == 0
    table = capsys.readouterr().out
    assert "| grpo | 2 | 0.000 | 0.000 | 0.000 | 1.000 | 1.000 |" in table
    folders = [f"{recipe}-seed-{seed}" for recipe in ("edge_grpo", "grpo") for seed in (0, 1)]
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == folders
    line = json.loads((tmp_path / "runs" / folders[0] / "metrics.jsonl").read_text().splitlines()[0])
    assert line["step"] == 0


def test_a_bad_recipe_ends_before_anything_is_trained(arguments, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main([*arguments, "--recipe", "grpo", "dapo_egde"])
    assert "there is no recipe dapo_egde" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_tokenizer_without_a_token_for_padding_pads_with_eos(untrained_model, tmp_path):
    """Many published models have none; what stands behind EOS does not count."""
    shutil.copytree(untrained_model, tmp_path / "model")
    config_file = tmp_path / "model" / "tokenizer_config.json"
    config = json.loads(config_file.read_text())
    config["pad_token"] = None
    config_file.write_text(json.dumps(config))
    policy = load_policy(tmp_path / "model")
    assert policy.tokenizer.pad_token_id == policy.tokenizer.eos_token_id
    assert all(policy.sample([[5, 6], [7]], [3, 4], is_greedy=True))
