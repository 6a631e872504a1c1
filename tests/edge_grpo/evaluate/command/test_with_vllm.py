"""The command `evaluate` with a real policy in vLLM on the CPU, as a user starts it, and killed as a scheduler does."""

import json
import subprocess
import sys
from collections import Counter

import pytest

pytestmark = pytest.mark.process

RESULT_FILES = ("results.json", "results.md", "responses.parquet")
NUM_PROBLEMS, NUM_SAMPLES, TEMPERATURES = 40, 4, ("0.6", "1.0")
NUM_FIRST_PASSES = NUM_PROBLEMS * NUM_SAMPLES * len(TEMPERATURES)


@pytest.fixture(scope="module")
def command(half_trained_model, arithmetic_data):
    """command(folder, chunk_size): the words of the command."""

    def command(folder, chunk_size):
        words = [
            sys.executable,
            "-m",
            "recipe.edge_grpo.evaluate",
            "--model",
            half_trained_model,
            "--output-dir",
            folder,
        ]
        words += ["--data", arithmetic_data / "test.parquet", "--template", "chat", "--max-tokens", "40"]
        words += ["--num-samples", NUM_SAMPLES, "--temperatures", *TEMPERATURES, "--k", "1", "4"]
        words += ["--reflection-texts", "--max-reflection-tokens", "24", "--chunk-size", chunk_size]
        return [str(word) for word in words]

    return command


@pytest.fixture(scope="module")
def whole_run(command, tmp_path_factory):
    """A run that nothing interrupts. All first passes are one chunk: more tokens of prompts than vLLM takes at once."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    subprocess.run(command(folder, chunk_size=NUM_FIRST_PASSES), check=True, timeout=300)
    return folder


def journal_of(folder):
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()[1:]]


def test_a_killed_run_continues_to_the_bytes_of_one_that_was_not(command, whole_run, tmp_path, kill_when_written):
    folder = tmp_path / "run"
    kill_when_written(command(folder, chunk_size=8), folder / "journal.jsonl", num_lines=60)
    before = (folder / "journal.jsonl").read_bytes()
    before = before[: before.rindex(b"\n") + 1]
    assert before.count(b"\n") < 1 + NUM_FIRST_PASSES
    # Another chunk size: a response must not depend on what is sampled beside it.
    subprocess.run(command(folder, chunk_size=100), check=True, timeout=300)
    assert (folder / "journal.jsonl").read_bytes().startswith(before)
    for name in RESULT_FILES:
        assert (folder / name).read_bytes() == (whole_run / name).read_bytes()
    keys = Counter(
        json.dumps(
            [record["graded"][name] for name in ("problem_index", "sample_index", "temperature", "reflection_text")]
        )
        for record in journal_of(folder)
        if "graded" in record
    )
    assert set(keys.values()) == {1}


def test_the_results_say_something_of_the_policy(whole_run):
    first, second = json.loads((whole_run / "results.json").read_text())["temperatures"]
    assert (first["temperature"], second["temperature"]) == (0.6, 1.0)
    benchmark = second["benchmarks"]["arithmetic"]
    assert (benchmark["num_problems"], benchmark["samples_per_problem"]) == (NUM_PROBLEMS, {"min": 4, "max": 4})
    assert 0 < benchmark["avg@n"] < benchmark["pass@k"]["4"] < 1
    assert benchmark["boxed_fraction"] > 0.5
    assert first["entropy"]["mean"] < second["entropy"]["mean"]
    forced = second["reflection"]["forced"]
    assert forced["by_text"][0]["num_responses"] == forced["num_wrong_first_passes"] > 0


def test_samples_of_one_problem_differ(whole_run):
    texts = {}
    for record in journal_of(whole_run):
        graded = record.get("graded")
        if graded and graded["reflection_text"] is None and graded["temperature"] == 1.0:
            texts.setdefault(graded["problem_index"], set()).add(graded["response"])
    assert max(map(len, texts.values())) == NUM_SAMPLES


def test_surprisals_are_those_of_the_sampled_tokens_at_the_temperature(whole_run, half_trained_model):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, tokenizer = (each.from_pretrained(half_trained_model) for each in (AutoModelForCausalLM, AutoTokenizer))
    records = [record for record in journal_of(whole_run) if "graded" in record]
    for record in [*records[:10], *records[NUM_FIRST_PASSES // 2 :][:10]]:
        prompt_ids, response_ids = tokenizer.encode(record["graded"]["prompt"]), record["token_ids"]
        logits = model(input_ids=torch.tensor([prompt_ids + response_ids])).logits[0, len(prompt_ids) - 1 : -1]
        log_probabilities = (logits / record["graded"]["temperature"]).log_softmax(-1)
        sampled = log_probabilities.gather(-1, torch.tensor(response_ids)[:, None])
        assert record["surprisal"] == pytest.approx(-sampled.mean().item(), abs=1e-4)
    assert {record["graded"]["temperature"] for record in records[:10]} == {0.6}
