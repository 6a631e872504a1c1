"""`--run`: prompt, reward and data of the training, and the card that says what was evaluated."""

import json
import shutil

import pyarrow
import pyarrow.parquet
import pytest
import yaml

from data_prep.writing.rows import build_row
from recipe.edge_grpo.evaluate import __main__ as evaluate

SYSTEM = {"role": "system", "content": "Think."}


@pytest.fixture
def trained(tmp_path, untrained_model, data):
    """trained(**settings): the folder of a run with a whole checkpoint of step 4; settings by dotted keys."""

    def trained(**settings):
        run = tmp_path / "my_run"
        actor = run / "global_step_4" / "actor"
        shutil.copytree(untrained_model, actor / "huggingface")  # with weights: nothing to merge
        (actor / "fsdp_config.json").write_text('{"world_size": 1}')
        (actor / "model_world_size_1_rank_0.pt").write_bytes(b"shard")
        row = build_row(data_source="amc", problem="1?", answer="7", solution="", index=3, split="train")
        rows = pyarrow.Table.from_pylist([{**row, "prompt": [SYSTEM, *row["prompt"]]}])
        pyarrow.parquet.write_table(rows, tmp_path / "train.parquet")
        config = {
            "data": {"train_files": str(tmp_path / "train.parquet"), "val_files": data, "seed": 17},
            "actor_rollout_ref": {"model": {"path": "the/base"}, "rollout": {"n": 8}},
            "algorithm": {"adv_estimator": "edge_grpo"},
            "reward": {"custom_reward_function": {"path": "pkg://reward_fns.math_reward", "name": "compute_score"}},
        }
        for key, value in settings.items():
            *parents, name = key.split(".")
            block = config
            for parent in parents:
                block = block.setdefault(parent, {})
            block[name] = value
        (run / "config.yaml").write_text(yaml.safe_dump(config))
        return run

    return trained


@pytest.fixture
def evaluate_run(tmp_path):
    """evaluate_run(sampler, run, *options): the folder that the command wrote."""

    def evaluate_run(sampler, run, *options):
        arguments = ["--run", str(run), "--output-dir", str(tmp_path / "out"), "--entropy", "none", *options]
        evaluate.main(arguments, make_sampler=sampler)
        return tmp_path / "out"

    return evaluate_run


def test_a_run_is_evaluated_on_its_validation_files_with_the_system_prompt_of_its_training_rows(
    trained, evaluate_run, scripted_sampler, read_responses, capsys
):
    sampler = scripted_sampler()
    folder = evaluate_run(sampler, trained())
    assert sampler.settings[0].model.endswith("my_run/global_step_4/actor/huggingface")
    responses = read_responses(folder / "responses.parquet")
    assert {each.benchmark for each in responses} == {"amc", "minerva"}
    assert all(each.prompt.startswith("<|im_start|>system\nThink.<|im_end|>\n<|im_start|>user\n") for each in responses)
    assert "warning" not in capsys.readouterr().err
    assert json.loads((folder / "settings.json").read_text())["step"] == 4


def test_the_template_of_the_training_and_its_variables_are_used(
    trained, evaluate_run, scripted_sampler, read_responses
):
    run = trained(**{
        "actor_rollout_ref.model.custom_chat_template": "{{ mark }} {{ messages[-1].content }}",
        "data.apply_chat_template_kwargs": {"mark": "!!"},
    })  # fmt: skip
    folder = evaluate_run(scripted_sampler(), run, "--limit", "1")
    assert {each.prompt for each in read_responses(folder / "responses.parquet")} == {"!! What is 0?"}


def test_another_template_than_that_of_the_training_is_warned_about(
    trained, evaluate_run, scripted_sampler, tmp_path, capsys
):
    run = trained()
    (tmp_path / "my.jinja").write_text("{{ messages[-1].content }}")
    folder = evaluate_run(scripted_sampler(), run, "--template-file", str(tmp_path / "my.jinja"))
    assert "warning: chat_template = {{ messages[-1].content }} is not that of the training" in capsys.readouterr().err
    assert "is not that of the training" in (folder / "MODEL_CARD.md").read_text()
    evaluate_run(scripted_sampler(), run, "--protocol", "paper", "--overwrite")
    assert "warning: template = qwen_math is not that of the training, chat" in capsys.readouterr().err


def test_the_reward_of_the_run_grades(trained, evaluate_run, scripted_sampler, read_responses, tmp_path):
    (tmp_path / "r.py").write_text("def score(solution_str, right, **_): return {'hit': right in solution_str}")
    run = trained(**{
        "reward.custom_reward_function": {
            "path": str(tmp_path / "r.py"), "name": "score", "reward_kwargs": {"right": "8"}
        },
        "edge_grpo.gec.accuracy_key": "hit",
    })  # fmt: skip
    folder = evaluate_run(scripted_sampler(), run)
    responses = read_responses(folder / "responses.parquet")
    assert [each.accuracy for each in responses] == [float("8" in each.response) for each in responses]


def test_the_card_says_what_the_policy_was_made_of_and_what_it_can_do(trained, evaluate_run, scripted_sampler, data):
    card = (evaluate_run(scripted_sampler(), trained()) / "MODEL_CARD.md").read_text()
    assert card.startswith("# my_run, step 4\n\nBase model: `the/base`\n")
    for text in ("`algorithm.adv_estimator`", "`data.seed`", "| 17 ", data[0], "### Accuracy at temperature 0.1"):
        assert text in card
    for text in ("95 % interval", "| commit", "| torch", "    python -m recipe.edge_grpo.evaluate --run "):
        assert text in card


def test_a_run_without_its_configuration_is_evaluated_with_what_is_given_and_says_so(
    trained, evaluate_run, scripted_sampler, refused, data, capsys
):
    run = trained()
    (run / "config.yaml").unlink()
    assert "does not say what it was validated on; give files with --data" in refused(
        evaluate_run, scripted_sampler(), run
    )
    evaluate_run(scripted_sampler(), run, "--data", *data)
    assert "has no config.yaml: template, system prompt and reward of the training" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "options", "message"),
    [
        ({"reward.reward_model": {"enable": True}}, [], "reward.reward_model.enable=true: the run was graded"),
        ({"data.val_files": "/gone.parquet"}, [], "/gone.parquet is not there; give other files with --data"),
        ({}, ["--step", "9"], "has no checkpoint of step 9; choose another --step (there are 4)"),
        ({}, ["--model", "x"], "--run and --model contradict each other"),
        ({}, ["--step", "first"], "'first' is neither last nor best nor the number of a step"),
    ],
)  # fmt: skip
def test_what_cannot_be_evaluated_of_a_run_is_refused(
    trained, evaluate_run, scripted_sampler, refused, settings, options, message
):
    sampler = scripted_sampler()
    assert message in refused(evaluate_run, sampler, trained(**settings), *options)
    assert sampler.settings == []
