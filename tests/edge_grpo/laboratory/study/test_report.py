"""Tables and figures of a study: what stands in them, and that equal records give equal bytes."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from recipe.edge_grpo.laboratory.study.answers import claims_table, verdict_lines
from recipe.edge_grpo.laboratory.study.beside import curves_table, ends_table
from recipe.edge_grpo.laboratory.study.records import Origin, write_records
from recipe.edge_grpo.laboratory.study.report import FIGURES, main, read_results, rebuild, write_report
from recipe.edge_grpo.laboratory.study.results import Results
from recipe.edge_grpo.laboratory.study.tables import (
    commits_and_machines,
    confirmation_table,
    learning_rates_table,
    methods_table,
    origin_sentence,
)

DOCS = Path(__file__).parents[4] / "docs"


@pytest.fixture
def results(study, record):
    """GRPO with the rate 1e-4, the control with 1e-3, each on two seeds; and GRPO in verl."""
    records = [
        record("grpo", (0.2, 0.6, 0.8), seed=100),
        record("grpo", (0.2, 0.3, 0.4), seed=100, rate=1e-3),
        record("sft", (0.2, 0.3, 0.4), seed=100),
        record("sft", (0.2, 0.6, 0.5), seed=100, rate=1e-3),
        record("grpo", (0.2, 0.6, 0.78), entropy=(None, 0.5, 0.25), equal_rewards_before=(None, 0.0, 0.5)),
        record("grpo", (0.2, 0.6, 0.82), seed=1),
        record("grpo", (0.2, 0.6, 0.1), seed=1, rate=1e-3),  # with a rate that was not chosen
        record("sft", (0.2, 0.6, 0.5), seed=0, rate=1e-3, tokens_sampled=(0, 0, 0)),
        record("grpo", (0.25, 0.75), rate=3e-4, engine="verl"),
        record("grpo", (0.25, 0.5), rate=3e-4, seed=1, engine="verl"),
    ]
    return Results(study, records)


def rows(table):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_the_table_of_methods_has_the_runs_with_the_learning_rate_that_was_chosen(results):
    head, _, grpo, sft = rows(methods_table(results, "carry"))
    cells = dict(zip(head, grpo, strict=True))
    # 0.78 and 0.82: mean 0.8, s = 0.028284, t of one degree 12.7062: 12.7062 * 0.028284 / sqrt(2) = 0.25412,
    # and no share is above 1
    assert cells["last validation"] == "0.800 [0.546, 1.000]"
    assert (cells["learning rate"], cells["seeds"]) == ("0.0001", "2")
    assert cells["million tokens"] == "0.020"  # 1000 a step, 20 steps
    assert cells["entropy, last"] == "0.375"  # one seed has it: no interval
    assert dict(zip(head, sft, strict=True))["learning rate"] == "0.001"
    assert dict(zip(head, sft, strict=True))["equal rewards, first"] == "–"


def test_an_interval_of_entropy_may_go_beyond_1_and_not_below_0(study, record):
    records = [
        record("grpo", (0.2, 0.6), seed=100),
        record("grpo", (0.2, 0.6), seed=0, entropy=(None, 1.0)),
        record("grpo", (0.2, 0.6), seed=1, entropy=(None, 1.5)),
    ]
    head, _, grpo, _ = rows(methods_table(Results(study, records), "carry"))
    # 1.0 and 1.5: mean 1.25, s = 0.353553: 12.7062 * 0.353553 / sqrt(2) = 3.17655
    assert dict(zip(head, grpo, strict=True))["entropy, last"] == "1.250 [0.000, 4.427]"


def test_the_learning_rate_that_was_chosen_is_bold(results):
    assert rows(learning_rates_table(results))[2:4] == [
        ["carry", "grpo", "**0.800**", "0.400"],
        ["carry", "sft", "0.400", "**0.500**"],
    ]
    assert rows(learning_rates_table(results))[4] == ["carry_hard", "grpo", "–", "–"]


def test_runs_of_verl_have_a_table_of_their_own(results):
    # 0.75 and 0.5: mean 0.625, s = 0.176777: 12.7062 * 0.176777 / sqrt(2) = 1.58828, which is beyond all shares
    (row,) = rows(confirmation_table(results))[2:]
    assert row == ["carry", "grpo", "2", "10", "0.250", "0.625 [0.000, 1.000]", "abc, x86_64, 2 cores, 24 GiB"]
    (row,) = rows(confirmation_table(Results(results.study, [])))[2:]
    assert row == ["carry", "grpo", "0", "10", "–", "–", "not run yet"]


def test_a_machine_stands_once_behind_the_commits_of_its_runs():
    made = [("b", "x86_64"), ("a", "x86_64"), ("b", "x86_64"), ("c", "arm64")]
    origins = [Origin(commit, "2026-01-02", machine, 1.0) for commit, machine in made]
    assert commits_and_machines(origins) == "c, arm64; a, b, x86_64"
    assert commits_and_machines([]) == ""


def test_runs_beside_the_plan_have_a_row_for_each_validation(record):
    of_first_passes = {"accuracy_first_pass": (None, 0.125), "entropy": (None, 1.5)}
    run = record("grpo", (0.25, 0.75), task="easy", engine="verl", **of_first_passes)
    table = curves_table([run])
    head, _, before, after, *origin = rows(table)
    assert before == ["grpo", "0", "0.250", "–", "–", "–", "–"]
    assert dict(zip(head, after, strict=True))["first passes right"] == "0.125"
    assert after == ["grpo", "10", "0.750", "0.125", "–", "–", "1.500"]
    assert origin[-1] == ["2026-01-02, commit abc, x86_64, 2 cores, 24 GiB; grpo 30 minutes."]  # 1800 s
    assert curves_table([]) == "Not run yet."


def test_runs_from_other_policies_are_told_by_their_ends_as_means_over_seeds(record):
    of_laboratory = [record("grpo", (0.25, 0.5)), record("grpo", (0.25, 0.75), seed=1)]
    runs = [*of_laboratory, record("grpo", (0.125, 0.5), engine="verl")]
    assert rows(ends_table(runs))[2:] == [
        ["carry", "laboratory", "grpo", "0.0001", "2", "10", "0.250", "0.625"],  # (0.5 + 0.75) / 2
        ["carry", "verl", "grpo", "0.0001", "1", "10", "0.125", "0.500"],
    ]


def test_an_earlier_study_has_its_own_answers(study, record):
    tuning = [record(method, (0, 0.5), seed=100) for method in ("edge_grpo", "grpo")]
    ends = {("edge_grpo", 0): 0.8, ("edge_grpo", 1): 0.9, ("grpo", 0): 0.5, ("grpo", 1): 0.5}
    earlier = [record(method, (0, end), seed=seed) for (method, seed), end in ends.items()]
    results = Results(study, [], {"first_study.jsonl": [*tuning, *earlier]})
    document = rebuild("<!-- study: first study -->\n<!-- end -->\n<!-- study: claims -->\n<!-- end -->", results)
    of_earlier, of_study = document.split("<!-- study: claims -->")
    # 0.3 and 0.4: mean 0.35, s = 0.0707107: 12.7062 * 0.0707107 / sqrt(2) = 0.63531
    assert "| 3 | EDGE-GRPO beats GRPO at equal steps | carry | 2 | 0.350 [-0.285, 0.985] | above 0 |" in of_earlier
    assert "| 3 | EDGE-GRPO beats GRPO at equal steps | carry | 0 | – | above 0 | – | not run |" in of_study


def test_an_earlier_study_says_nothing_of_tasks_that_came_later(study):
    later = replace(study, tasks={**study.tasks, "carry_rare": 20})
    document = rebuild(
        "<!-- study: first study -->\n<!-- end -->\n<!-- study: claims -->\n<!-- end -->",
        Results(later, [], {"first_study.jsonl": []}),
    )
    of_earlier, of_study = document.split("<!-- study: claims -->")
    assert "| carry_rare |" in of_study
    assert "carry_rare" not in of_earlier


def test_the_origin_counts_the_runs_of_the_plan(results):
    # two tasks x two methods x (two rates on one seed + two seeds), and one method in verl on one task with two seeds
    assert origin_sentence(results) == (
        "10 of 18 runs, 2026-01-02, commit abc, x86_64, 2 cores, 24 GiB; 5.0 hours of runs in all."
    )
    assert origin_sentence(Results(results.study, [])) == "No run has been made yet."


def test_claims_without_runs_are_not_run(results):
    table = rows(claims_table(Results(results.study, [])))
    assert {row[-1] for row in table[2:]} == {"not run"}


def test_claims_with_the_same_answer_are_on_one_line(results):
    (line,) = verdict_lines(Results(results.study, [])).splitlines()
    assert line.startswith("- **not run**: Correction keeps groups informative (`carry_hard` –); Under GRPO ")
    assert "; EDA adds to correction (`carry` –, `carry_hard` –); " in line


def test_blocks_are_replaced_and_the_rest_of_the_document_stays(results):
    document = "before\n\n<!-- study: origin -->\nold\nold\n<!-- end -->\nafter <!-- study: origin -->\nold<!-- end -->"
    sentence = origin_sentence(results)
    block = f"<!-- study: origin -->\n{sentence}\n<!-- end -->"
    expected = f"before\n\n{block}\nafter {block}"
    assert rebuild(document, results) == expected
    assert rebuild(expected, results) == expected


def test_a_block_of_another_name_is_refused(results):
    with pytest.raises(ValueError, match="there is no block clams; there are origin, claims"):
        rebuild("<!-- study: clams -->\n<!-- end -->", results)


@pytest.mark.slow
def test_the_same_records_give_the_same_bytes_in_any_order(results, tmp_path):
    for folder, records in (("a", results.records), ("b", results.records[::-1])):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "study.md").write_text("<!-- study: claims -->\n<!-- end -->\n")
        write_report(Results(results.study, records), [tmp_path / folder / "study.md"], tmp_path / folder)
    for name in (*FIGURES, "study.md"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert (tmp_path / "a" / name).stat().st_size > 500


def test_the_committed_tables_and_figures_are_what_the_committed_records_give(tmp_path):
    documents = {tmp_path / "study.md": DOCS / "study.md", tmp_path / "README.md": DOCS.parent / "README.md"}
    for copy, document in documents.items():
        shutil.copy(document, copy)
    write_report(read_results(DOCS / "study"), list(documents), tmp_path)
    for copy, document in documents.items():
        assert copy.read_text() == document.read_text()
        assert "<!-- study: " in copy.read_text()
    for name in FIGURES:
        assert (tmp_path / name).read_bytes() == (DOCS / "study" / name).read_bytes(), name


def test_the_committed_records_are_small():
    assert sum(path.stat().st_size for path in (DOCS / "study").iterdir()) < 2e6


@pytest.mark.slow
def test_the_command_writes_the_document_and_names_what_is_wrong(tmp_path, results, capsys):
    write_records(tmp_path / "runs.jsonl", results.records)
    (tmp_path / "study.md").write_text("<!-- study: carry -->\n<!-- end -->")
    arguments = ["--records", str(tmp_path), "--documents", str(tmp_path / "study.md")]
    assert main(arguments) == 0
    assert "| grpo |" in (tmp_path / "study.md").read_text()
    (tmp_path / "runs.jsonl").write_text("{")
    with pytest.raises(SystemExit):
        main(arguments)
    assert "runs.jsonl, line 1" in capsys.readouterr().err
