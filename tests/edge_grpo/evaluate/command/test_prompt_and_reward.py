"""Templates, system prompts and rewards that a user gives."""

import json
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from data_prep.writing.rows import build_row, write_parquet
from recipe.edge_grpo.evaluate.prompting import Prompting


@pytest.fixture
def reward_file(tmp_path):
    """reward_file(code): the `--reward` of a file with a function `score`."""

    def reward_file(code):
        (tmp_path / "reward.py").write_text(code)
        return f"{tmp_path}/reward.py:score"

    return reward_file


def prompts(folder, read_responses):
    return {each.prompt for each in read_responses(folder / "responses.parquet") if each.problem_index == 0}


def test_a_system_prompt_goes_before_the_problem(run, scripted_sampler, read_responses):
    folder = run(scripted_sampler(), "--system-prompt", "Be brief.")
    assert prompts(folder, read_responses) == {
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhat is 0?<|im_end|>\n<|im_start|>assistant\n"
    }


def test_a_given_system_prompt_replaces_that_of_a_row_and_one_of_the_training_does_not():
    own = [{"role": "system", "content": "own"}, {"role": "user", "content": "1 + 1?"}]
    given = Prompting(system_prompt="given", should_replace_system=True)
    assert [message["content"] for message in given.messages(own)] == ["given", "1 + 1?"]
    assert Prompting(system_prompt="of the training").messages(own) is own
    assert len(Prompting(system_prompt="of the training").messages(own[1:])) == 2


def test_a_template_file_is_the_chat_template(run, scripted_sampler, read_responses, tmp_path):
    (tmp_path / "my.jinja").write_text("Q: {{ messages[0].content }}\nA:")
    folder = run(scripted_sampler(), "--template-file", str(tmp_path / "my.jinja"))
    assert prompts(folder, read_responses) == {"Q: What is 0?\nA:"}


def test_a_model_without_a_chat_template_is_refused_with_the_choices(
    run, scripted_sampler, refused, untrained_model, tmp_path
):
    tokenizer = AutoTokenizer.from_pretrained(untrained_model)
    tokenizer.chat_template = None
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "base").mkdir(exist_ok=True)
        (tmp_path / "base" / name).write_bytes((untrained_model / name).read_bytes())
    tokenizer.save_pretrained(tmp_path / "base")
    message = refused(run, scripted_sampler(), "--model", str(tmp_path / "base"))
    assert "has no chat template: choose --template qwen_math or --template none, or give one with" in message
    run(scripted_sampler(), "--model", str(tmp_path / "base"), "--template", "none")


@pytest.mark.parametrize(
    "code",
    [
        "def score(data_source, solution_str, ground_truth, extra_info, **_): return float('8' in solution_str)",
        "async def score(**call): return {'score': 5, 'acc': '8' in call['solution_str'], 'format': 0}",
    ],
)
def test_a_reward_of_ones_own_grades_whether_it_is_async_or_not(
    run, scripted_sampler, read_responses, reward_file, code
):
    folder = run(scripted_sampler(), "--reward", reward_file(code))
    for each in read_responses(folder / "responses.parquet"):
        assert each.accuracy == float("8" in each.response)
        assert each.has_box == ("async" not in code)
    assert "reward.py:score" in json.loads((folder / "settings.json").read_text())["reward"][0]


def test_a_reward_gets_what_verl_gives_it(run, scripted_sampler, reward_file, tmp_path):
    code = f"import json\ndef score(**call): open({str(tmp_path / 'calls')!r}, 'a').write(json.dumps(call)); return 1"
    row = build_row(data_source="amc", problem="1?", answer="7", solution="", index=3, split="test")
    write_parquet([row], tmp_path / "one.parquet")
    options = ["--data", str(tmp_path / "one.parquet"), "--num-samples", "1", "--reward", reward_file(code)]
    run(scripted_sampler(lambda request: "seven"), *options)
    call = json.loads(Path(tmp_path / "calls").read_text())
    assert (call["data_source"], call["solution_str"], call["ground_truth"]) == ("amc", "seven", "7")
    assert call["extra_info"]["index"] == 3


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def score(**_): return 0.5", "gave 0.5 (problem 0 of 'amc'); an evaluation counts correct responses"),
        ("def score(**_): raise KeyError('x')", "raised KeyError: 'x' (problem 0 of 'amc')"),
        ("score = 3", "is no function"),
        ("def", "does not load: SyntaxError"),
    ],
)
def test_a_reward_that_cannot_be_used_is_refused_in_one_line(
    run, scripted_sampler, refused, reward_file, code, message
):
    error = refused(run, scripted_sampler(), "--reward", reward_file(code)).splitlines()[-1]
    assert message in error and error.startswith("python -m recipe.edge_grpo.evaluate: error: --reward ")


def test_beside_published_rows_an_evaluation_by_another_protocol_is_named(run, scripted_sampler, capsys):
    from recipe.edge_grpo.evaluate import __main__ as evaluate

    folders = [run(scripted_sampler(), name="own")]
    folders.append(run(scripted_sampler(), "--num-samples", "1", "--protocol", "paper", name="by_protocol"))
    capsys.readouterr()
    evaluate.main(["--compare", *map(str, folders), "--published"])
    output = capsys.readouterr().out
    assert "- own is not by --protocol paper, as published rows are: template = chat, num_samples = 2" in output
    assert "- by_protocol is not" not in output
