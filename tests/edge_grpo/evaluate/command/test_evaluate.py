"""From rows to the files of an evaluation, with a stand-in for vLLM."""

import hashlib
import json
import os
import shutil

import pytest

from data_prep.writing.rows import build_row, write_parquet
from recipe.edge_grpo.evaluate import __main__ as evaluate
from recipe.edge_grpo.evaluate.policy_entropy import EntropyMeter


def test_the_files_hold_every_response_with_its_grade_and_the_numbers_of_the_table(
    run, scripted_sampler, read_responses, capsys
):
    folder = run(scripted_sampler(), "--temperatures", "0.1", "1.0", "--k", "1", "2")
    responses = read_responses(folder / "responses.parquet")
    assert len(responses) == 2 * 2 * 3 * 2
    assert {response.ground_truth for response in responses} == {"7", '["7", "seven"]'}
    for response in responses:
        assert response.accuracy == (response.response == r"\boxed{7}")
        assert response.prompt.startswith("<|im_start|>user\nWhat is ")  # the model's own chat template
    results = json.loads((folder / "results.json").read_text())
    amc = [each for each in responses if each.benchmark == "amc" and each.temperature == 0.1]
    assert results["temperatures"][0]["benchmarks"]["amc"]["avg@n"] == sum(each.accuracy for each in amc) / len(amc)
    assert set(results["temperatures"][1]["benchmarks"]["minerva"]["pass@k"]) == {"1", "2"}
    assert results["entropy_method"] == "none"
    assert capsys.readouterr().out == (folder / "results.md").read_text() + "\n"
    settings = json.loads((folder / "settings.json").read_text())
    assert (settings["temperatures"], settings["top_p"], settings["seed"]) == ([0.1, 1.0], 1.0, 0)
    assert settings["versions"]["torch"]


def test_a_run_in_this_process_leaves_its_environment_alone(run, scripted_sampler):
    before = dict(os.environ)
    run(scripted_sampler())
    assert dict(os.environ) == before


def test_the_papers_protocol_is_what_the_defaults_were_before_it_had_a_name_to_the_digit(
    run, scripted_sampler, read_responses
):
    sampler = scripted_sampler()
    folder = run(sampler, "--num-samples", "1", "--protocol", "paper")
    # Of commit a2c0303, with `--num-samples 1` alone: every request with its tokens and seed, and every response.
    assert sha256(repr(sampler.requests)) == "0d6f849548b0b673725cd12f82a5c92f0a74e2ce244e176f431ab29a3fb7bf17"
    responses = [list(map(str, vars(each).items())) for each in read_responses(folder / "responses.parquet")]
    assert sha256(json.dumps(responses)) == "3b8cdfd2f79ad8d4414d47d3e26b08d7b92c4ef2fe616985c3bddee79a3b63f8"


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_defaults_are_the_protocol_but_for_the_template(run, scripted_sampler):
    sampler = scripted_sampler()
    run(sampler, "--num-samples", "1")
    assert {(each.temperature, each.top_p, each.max_tokens) for each in sampler.requests} == {(0.1, 1.0, 3000)}
    assert len({each.seed for each in sampler.requests}) == len(sampler.requests) == 6


@pytest.mark.slow
def test_entropies_are_those_of_the_policy_at_the_temperature_of_each_response(
    run, scripted_sampler, read_responses, untrained_model, tokenizer
):
    folder = run(scripted_sampler(), "--temperatures", "0.6", "1.0", "--entropy", "exact", "--reflection-texts")
    meter = EntropyMeter(str(untrained_model))
    for each in read_responses(folder / "responses.parquet"):
        if each.reflection_text is not None:
            assert each.mean_entropy is None
            continue
        response_ids = [*tokenizer.encode(each.response), tokenizer.eos_token_id]
        assert each.mean_entropy == meter.mean_entropy(tokenizer.encode(each.prompt), response_ids, each.temperature)
    assert "estimated" not in (folder / "results.md").read_text()
    measured = json.loads((folder / "results.json").read_text())["temperatures"][1]["entropy"]
    assert (measured["num_measured"], measured["num_unmeasured"]) == (12, 0)


def test_greedy_responses_have_no_entropy(run, scripted_sampler, read_responses):
    for kind in ("exact", "sampled"):
        options = ["--temperatures", "0", "--num-samples", "1", "--entropy", kind]
        responses = read_responses(run(scripted_sampler(), *options, name=kind) / "responses.parquet")
        assert {each.mean_entropy for each in responses} == {None}


def test_the_sampled_entropy_is_the_surprisal_of_what_was_sampled(run, scripted_sampler, read_responses):
    folder = run(scripted_sampler(), "--entropy", "sampled")
    assert {each.mean_entropy for each in read_responses(folder / "responses.parquet")} == {0.5}
    assert "estimated from the sampled tokens" in (folder / "results.md").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--k", "3"], "--k 3 needs as many samples, and --num-samples is 2"),
        (["--temperatures", "0", "1"], "--temperatures 0 is greedy"),
        (["--temperatures", "1", "1.0"], "--temperatures has the same value twice"),
        (["--entropy", "sampled", "--top-p", "0.9"], "--entropy sampled sees only what --top-p 0.9 leaves"),
        (["--protocol", "paper"], "--protocol paper and --num-samples 2 contradict each other: it has 1"),
        (
            ["--protocol", "paper", "--num-samples", "1", "--template", "chat"],
            "--protocol paper and --template chat contradict",
        ),
        (
            ["--protocol", "paper", "--num-samples", "1", "--max-tokens", "9"],
            "--protocol paper and --max-tokens 9 contradict each other: it has 3000",
        ),
        (["--template", "none", "--system-prompt", "x"], "--system-prompt goes with --template chat, and it is none"),
        (["--template-file", "no.jinja"], "--template-file: there is no file no.jinja"),
        (["--step", "3"], "--step goes with --run"),
        (["--reward", "no_such_module:f"], "--reward no_such_module:f does not load: ModuleNotFoundError"),
        (["--reward", "json:no_such"], "--reward json:no_such does not load: AttributeError"),
        (["--reward", "json"], "--reward json is not of the form module:function"),
        (["--published"], "--published goes with --compare"),
        (["--data", "missing.parquet"], "--data: missing.parquet does not exist"),
        (["--temperatures", "nan"], "--temperatures/--temperature: 'nan' is not a number from 0"),
        (["--gpu-memory-utilization", "2"], "--gpu-memory-utilization: '2' is not a number above 0 to 1"),
        (["--limit", "x"], "--limit: 'x' is not a whole number"),
        (["--model", "/no/such/model"], "/no/such/model"),
    ],
)
def test_bad_options_stop_before_a_model_is_loaded_and_are_named(run, scripted_sampler, refused, options, message):
    sampler = scripted_sampler()
    assert message in refused(run, sampler, *options)
    assert sampler.settings == []


def test_a_model_that_cannot_be_read_is_refused_in_one_line(run, scripted_sampler, refused, tmp_path, untrained_model):
    shutil.copytree(untrained_model, tmp_path / "unknown")
    (tmp_path / "unknown" / "config.json").write_text('{"model_type": "unheard_of"}')
    message = refused(run, scripted_sampler(), "--model", str(tmp_path / "unknown"))
    assert "unheard_of" in message and message.count("\n") == 1


@pytest.mark.parametrize("missing", ["--model", "--data", "--output-dir"])
def test_a_missing_option_is_named(refused, missing, data, tmp_path):
    options = {"--model": ["m"], "--data": data, "--output-dir": [str(tmp_path)]}
    arguments = [word for name, values in options.items() if name != missing for word in (name, *values)]
    assert f"{missing} is needed" in refused(evaluate.main, arguments)


def test_a_prompt_that_is_too_long_is_named_by_its_row(run, scripted_sampler, tmp_path, refused):
    row = build_row(data_source="x", problem="1 " * 5000, answer="7", solution="", index=0, split="test")
    write_parquet([row], tmp_path / "long.parquet")
    message = refused(run, scripted_sampler(), "--data", str(tmp_path / "long.parquet"))
    assert "long.parquet, row 1: the prompt has" in message
    assert "the model takes 4096" in message


def test_problems_of_a_preset_in_json_lines_are_evaluated_and_another_preset_begins_anew(
    run, scripted_sampler, read_responses, tmp_path, refused
):
    own = tmp_path / "own.jsonl"
    own.write_text("".join(json.dumps({"question": f"{n}+1?", "answer": "#### 7"}) + "\n" for n in range(2)))
    options = ["--data", str(own), "--preset", "gsm8k"]
    responses = read_responses(run(scripted_sampler(), *options, name="own") / "responses.parquet")
    assert {(each.benchmark, each.ground_truth) for each in responses} == {("gsm8k", "7")}
    other = [*options, "--instruction", "Box it."]
    message = refused(lambda: run(scripted_sampler(), *other, name="own"))
    assert 'was written with instruction = null, and now it is "Box it."' in message


def test_a_system_message_stays_in_the_chat(run, scripted_sampler, read_responses, tmp_path):
    row = build_row(data_source="x", problem="1+1?", answer="7", solution="", index=0, split="test")
    row["prompt"] = [{"role": "system", "content": "Be brief."}, *row["prompt"]]
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    folder = run(scripted_sampler(), "--data", str(tmp_path / "rows.jsonl"), "--template", "chat")
    assert all("Be brief." in each.prompt for each in read_responses(folder / "responses.parquet"))
