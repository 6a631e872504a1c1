"""The correctness rate of problems: what is sampled, what is kept, and what is never done twice."""

import json
import shutil
import subprocess
import sys
from collections import Counter

import pytest

from data_prep import correctness_rate
from data_prep.sampling.engine import request_seed
from data_prep.sources.records import read_records

PROBLEMS = [{"problem": f"What is {number}?", "answer": "7", "note": number} for number in range(5)]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in.json").write_text(json.dumps(PROBLEMS))
    return tmp_path


@pytest.fixture
def measure(folder, untrained_model):
    """measure(sampler, *options): the records of the output."""

    def measure(sampler, *options):
        arguments = ["--model", str(untrained_model), "--input", str(folder / "in.json"), "--num-samples", "4"]
        arguments += ["--output", str(folder / "out.jsonl"), "--chunk-size", "3", *options]
        correctness_rate.main(arguments, make_sampler=sampler)
        return list(read_records(str(folder / "out.jsonl")))

    return measure


def journal_of(folder):
    header, *records = map(json.loads, (folder / "out.jsonl.journal.jsonl").read_text().splitlines())
    return header, records


def test_the_rate_is_the_mean_accuracy_and_all_other_columns_stay(measure, scripted_sampler):
    records = measure(scripted_sampler())
    # The scripted sampler is right where the seed of the request is even.
    seeds = [[request_seed(0, row, sample, 0.6) for sample in range(4)] for row in range(1, 6)]
    rates = [sum(seed % 2 == 0 for seed in of_row) / 4 for of_row in seeds]
    assert len(set(rates)) > 1
    assert records == [problem | {"correctness_rate": rate} for problem, rate in zip(PROBLEMS, rates, strict=True)]


def test_requests_have_the_prompt_of_the_template_and_the_given_limits(measure, scripted_sampler, tokenizer):
    sampler = scripted_sampler()
    measure(sampler, "--template", "none", "--temperature", "0.9", "--top-p", "0.8", "--max-tokens", "5")
    assert [tokenizer.decode(request.prompt_token_ids) for request in sampler.requests[::4]] == [
        problem["problem"] for problem in PROBLEMS
    ]
    assert {(each.temperature, each.top_p, each.max_tokens) for each in sampler.requests} == {(0.9, 0.8, 5)}
    (settings,) = sampler.settings
    assert settings.max_model_len == max(len(request.prompt_token_ids) for request in sampler.requests) + 5


def test_a_response_ends_where_the_context_of_the_model_ends(measure, scripted_sampler):
    sampler = scripted_sampler()
    measure(sampler, "--max-tokens", "100000")
    assert {len(each.prompt_token_ids) + each.max_tokens for each in sampler.requests} == {4096}
    assert sampler.settings[0].max_model_len == 4096


def test_an_interrupted_run_continues_and_gives_what_one_run_gives(folder, measure, scripted_sampler):
    whole = measure(scripted_sampler())
    output, journal = (folder / name for name in ("out.jsonl", "out.jsonl.journal.jsonl"))
    records_of_whole = journal_of(folder)[1]
    output.unlink()
    journal.unlink()
    interrupted = scripted_sampler(num_served_at_most=10)
    with pytest.raises(SystemExit) as stopped:
        measure(interrupted)
    assert stopped.value.code == 130
    assert not output.exists()
    assert len(journal_of(folder)[1]) == 9  # Three chunks of three were complete.
    continuing = scripted_sampler()
    assert measure(continuing) == whole
    assert len(continuing.requests) == 20 - 9
    assert journal_of(folder)[1] == records_of_whole


def test_a_complete_run_loads_no_model_again(measure, scripted_sampler):
    whole = measure(scripted_sampler())
    again = scripted_sampler()
    assert measure(again) == whole
    assert again.settings == again.requests == []


def test_more_samples_and_more_rows_continue_what_is_there(measure, scripted_sampler):
    assert len(measure(scripted_sampler(), "--limit", "2", "--num-samples", "2")) == 2
    more = scripted_sampler()
    records = measure(more)
    assert len(records) == 5
    assert len(more.requests) == 20 - 4


@pytest.mark.parametrize(
    ("options", "setting"),
    [
        (["--temperature", "1"], "temperature"),
        (["--seed", "1"], "seed"),
        (["--template", "none"], "template"),
        (["--max-tokens", "9"], "max_tokens"),
        (["--top-p", "0.9"], "top_p"),
        (["--answer-column", "note"], "columns"),
    ],
)
def test_other_settings_are_refused_unless_all_is_to_be_done_again(measure, scripted_sampler, capsys, options, setting):
    measure(scripted_sampler())
    with pytest.raises(SystemExit) as stopped:
        measure(scripted_sampler(), *options)
    assert stopped.value.code == 2
    assert f"was written with {setting} = " in capsys.readouterr().err
    again = scripted_sampler()
    measure(again, *options, "--overwrite")
    assert len(again.requests) == 20


def test_another_input_of_the_same_name_is_refused(folder, measure, scripted_sampler, capsys):
    measure(scripted_sampler())
    (folder / "in.json").write_text(json.dumps(PROBLEMS[:4]))
    with pytest.raises(SystemExit):
        measure(scripted_sampler())
    assert "was written with data = " in capsys.readouterr().err


def test_a_checkpoint_that_was_written_again_is_refused(folder, measure, scripted_sampler, untrained_model, capsys):
    model = shutil.copytree(untrained_model, folder / "model")
    measure(scripted_sampler(), "--model", str(model))
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes())
    with pytest.raises(SystemExit):
        measure(scripted_sampler(), "--model", str(model))
    assert "was written with model_files = " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--input", "missing.json"], "missing.json"),
        (["--output", "out.txt"], "out.txt: unknown kind of file"),
        (["--model", "/no/such/model"], "/no/such/model"),
        (["--problem-column", "question"], "in.json, row 1: question is missing or empty"),
        (["--num-samples", "0"], "--num-samples: '0' is not a whole number of at least 1"),
        (["--temperature", "-1"], "--temperature: '-1' is not a number from 0"),
        (["--top-p", "1.5"], "--top-p: '1.5' is not a number above 0 to 1"),
        (["--temperature", "0"], "--temperature 0 is greedy"),
    ],
)
def test_bad_input_stops_before_a_model_is_loaded_and_names_what_is_wrong(
    measure, scripted_sampler, capsys, options, message
):
    sampler = scripted_sampler()
    with pytest.raises(SystemExit) as stopped:
        measure(sampler, *options)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
    assert sampler.settings == []


@pytest.mark.process
def test_after_a_kill_nothing_is_sampled_or_graded_twice(
    half_trained_model, arithmetic_data, tmp_path, kill_when_written
):
    output, journal = tmp_path / "out.parquet", tmp_path / "out.parquet.journal.jsonl"
    command = [sys.executable, "-m", "data_prep.correctness_rate", "--model", half_trained_model]
    command += ["--input", arithmetic_data / "test.parquet", "--output", output, "--num-samples", "8"]
    command += ["--max-tokens", "40", "--temperature", "1", "--chunk-size", "8"]
    kill_when_written(command, journal, num_lines=60)
    before = journal.read_bytes()
    before = before[: before.rindex(b"\n") + 1]
    assert not output.exists()
    assert before.count(b"\n") < 1 + 320
    subprocess.run(list(map(str, command)), check=True, timeout=300)
    assert journal.read_bytes().startswith(before)
    records = [json.loads(line) for line in journal.read_text().splitlines()[1:]]
    keys = Counter((record["row"], record["sample"]) for record in records)
    assert keys == Counter((row, sample) for row in range(1, 41) for sample in range(8))
    rates = [row["extra_info"]["correctness_rate"] for row in read_records(str(output))]
    assert sum(rates) * 8 == pytest.approx(sum(record["accuracy"] for record in records))
    assert 0 < sum(rates) < 40
