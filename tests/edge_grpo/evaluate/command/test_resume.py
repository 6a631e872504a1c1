"""What a run continues from, and when it refuses to."""

import json

import pytest

from recipe.edge_grpo.evaluate.policy_entropy import EntropyMeter

RESULT_FILES = ("results.json", "results.md", "responses.parquet")


def test_an_interrupted_run_continues_and_gives_the_bytes_of_an_uninterrupted_one(run, scripted_sampler):
    options = ["--temperatures", "0.6", "1.0", "--reflection-texts", "--entropy", "sampled"]
    whole = run(scripted_sampler(), *options, name="whole")
    for num_served_at_most in (7, 9, 6):
        with pytest.raises(SystemExit) as stopped:
            run(scripted_sampler(num_served_at_most=num_served_at_most), *options)
        assert stopped.value.code == 130
    folder = run(scripted_sampler(), *options, "--chunk-size", "2")
    for name in RESULT_FILES:
        assert (folder / name).read_bytes() == (whole / name).read_bytes()
    keys = [json.dumps(json.loads(line).get("graded")) for line in (folder / "journal.jsonl").read_text().splitlines()]
    assert len(keys) == len(set(keys))


def test_a_complete_run_loads_no_model_again(run, scripted_sampler):
    folder = run(scripted_sampler(), "--reflection-texts")
    before = {name: (folder / name).read_bytes() for name in RESULT_FILES}
    again = scripted_sampler()
    run(again, "--reflection-texts")
    assert again.settings == again.requests == []
    assert {name: (folder / name).read_bytes() for name in RESULT_FILES} == before


def test_more_samples_problems_and_texts_continue_what_is_there(run, scripted_sampler, read_responses):
    run(scripted_sampler(), "--limit", "2", "--num-samples", "1")
    more = scripted_sampler()
    folder = run(more, "--reflection-texts", "Hm?", " No.")
    first_passes = [each for each in read_responses(folder / "responses.parquet") if each.reflection_text is None]
    num_wrong = sum(not each.is_correct for each in first_passes)
    assert len(first_passes) == 12
    assert len(more.requests) == 12 - 4 + 2 * num_wrong
    fewer = scripted_sampler()
    assert len(read_responses(run(fewer, "--limit", "1") / "responses.parquet")) == 2 * 2
    assert fewer.requests == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "setting"),
    [
        (["--temperatures", "0.1", "0.6"], "temperatures"),
        (["--seed", "1"], "seed"),
        (["--template", "qwen_math"], "template"),
        (["--template-file", "FILE"], "chat_template"),
        (["--system-prompt", "Be brief."], "system_prompt"),
        (["--reward", "FILE:compute_score"], "reward"),
        (["--max-tokens", "9"], "max_tokens"),
        (["--max-reflection-tokens", "9"], "max_reflection_tokens"),
        (["--top-p", "0.9"], "top_p"),
    ],
)
def test_other_settings_are_refused_unless_all_is_to_be_done_again(
    run, scripted_sampler, refused, tmp_path, options, setting
):
    # A Jinja template, and, as Python, a reward.
    file = tmp_path / "file.py"
    file.write_text("compute_score = lambda data_source, solution_str, ground_truth, extra_info: 1.0")
    options = [option.replace("FILE", str(file)) for option in options]
    run(scripted_sampler())
    assert f"was written with {setting} = " in refused(run, scripted_sampler(), *options)
    again = scripted_sampler()
    run(again, *options, "--overwrite")
    assert len(again.requests) >= 12


def test_a_journal_from_before_there_were_presets_is_continued(run, scripted_sampler):
    journal = run(scripted_sampler()) / "journal.jsonl"
    header, *lines = journal.read_text().splitlines(keepends=True)
    settings = json.loads(header)["settings"]
    del settings["preset"], settings["instruction"]
    journal.write_text(json.dumps({"settings": settings}) + "\n" + "".join(lines))
    again = scripted_sampler()
    run(again)
    assert again.requests == []


def test_other_data_are_refused(run, scripted_sampler, data, refused):
    run(scripted_sampler())
    assert "was written with data = " in refused(run, scripted_sampler(), "--data", data[0])


def test_measured_entropies_are_not_measured_again(run, scripted_sampler, monkeypatch):
    options = ["--temperatures", "1.0", "--entropy", "exact"]
    before = (run(scripted_sampler(), *options) / "results.json").read_bytes()
    monkeypatch.setattr(EntropyMeter, "__init__", lambda *_: pytest.fail("loaded"))
    assert (run(scripted_sampler(), *options) / "results.json").read_bytes() == before
