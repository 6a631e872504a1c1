import pytest
from support.run_folders import PLAIN, write_run_folder

from recipe.edge_grpo.report.metrics_file import read_metrics
from recipe.edge_grpo.report.run_folder import folder_of, read_run_folder, recipe_and_seed


def read(folder, last_step=3):
    return read_run_folder(folder, read_metrics(folder), last_step)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("edge_grpo-seed-2", ("edge_grpo", "2")),
        ("edge_grpo_seed12", ("edge_grpo", "12")),
        ("runs/a/grpo-seed-0", ("runs/a/grpo", "0")),
        ("grpo", ("grpo", None)),
        ("seed-3", ("seed-3", "3")),  # nothing would be left of its name
    ],
)
def test_the_seed_at_the_end_of_a_name_is_no_part_of_the_recipe(name, expected):
    assert recipe_and_seed(name) == expected


def test_a_file_of_a_run_stands_for_its_folder(tmp_path):
    folder = write_run_folder(tmp_path / "run")
    assert folder_of(folder / "metrics.jsonl") == folder_of(folder) == folder


def test_a_whole_run_has_nothing_missing_and_its_rollouts_in_order_of_steps(tmp_path):
    folder = write_run_folder(tmp_path / "run", rollouts={10: [PLAIN], 9: [PLAIN]})
    (folder / "config.yaml").write_text("data:\n  seed: 7\n  train_files: [a.parquet]\nempty: {}\n")
    run = read(folder)
    assert list(run.rollout_files) == [9, 10]
    assert run.config == {"data.seed": "7", "data.train_files": "['a.parquet']", "empty": "{}"}
    assert run.notes == []


def test_a_run_that_crashed_says_what_is_missing_and_why_it_ended(tmp_path):
    folder = write_run_folder(tmp_path / "run")
    with (folder / "metrics.jsonl").open("a") as metrics_file:
        metrics_file.write('{"step": 4, "da')
    (folder / "failure.txt").write_text("ran out of memory\nand more\n")
    notes = " ".join(read(folder, last_step=9).notes)
    assert "line 4 of 4" in notes
    assert "ends at step 3, others at step 9" in notes
    assert "failure.txt: ran out of memory" in notes and "and more" not in notes
    assert "No config.yaml" in notes and "No rollouts/" in notes


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("a: [1", "cannot be read"), ("- 1", "holds no keys"), ("", "holds no keys"), ("\x00", "cannot be read")],
)
def test_a_configuration_that_cannot_be_read_is_noted_and_the_run_is_reported(tmp_path, content, complaint):
    folder = write_run_folder(tmp_path / "run")
    (folder / "config.yaml").write_text(content)
    run = read(folder)
    assert run.config == {} and any(f"config.yaml {complaint}" in note for note in run.notes)


def test_of_many_lines_that_were_skipped_the_first_is_named_and_the_others_counted(tmp_path):
    folder = write_run_folder(tmp_path / "run")
    with (folder / "metrics.jsonl").open("a") as metrics_file:
        metrics_file.write("x\n" * 100)
    notes = read(folder).notes
    assert "line 4 of 103" in notes[0] and notes[1] == "99 more of its lines were skipped."
