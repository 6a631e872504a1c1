"""Which checkpoint of a run is taken, and which folders are no runs."""

import pytest

from recipe.edge_grpo.evaluate.policy.run_folder import find_run


@pytest.fixture
def refusal():
    """refusal(path, choice): the line with which it is refused."""

    def refusal(path, choice="last"):
        with pytest.raises(ValueError) as refused:
            find_run(path, choice)
        assert "\n" not in str(refused.value)
        return str(refused.value)

    return refusal


def test_the_last_checkpoint_is_the_one_that_verls_tracker_names(make_run):
    run = make_run([5, 10, 20])
    assert find_run(run, "last").step == 20
    (run / "latest_checkpointed_iteration.txt").write_text("10")  # killed while it saved step 20
    assert find_run(run, "last").step == 10
    (run / "latest_checkpointed_iteration.txt").write_text("99")
    assert find_run(run, "last").actor == run / "global_step_20" / "actor"


def test_the_best_checkpoint_is_that_of_the_highest_validation_accuracy_and_the_later_one_of_equals(make_run):
    # Step 15 was better, and has no checkpoint.
    run = make_run([5, 10, 20], {0: 0.1, 5: 0.4, 10: 0.6, 15: 0.9, 20: 0.6})
    assert find_run(run, "best").step == 20
    (run / "metrics.jsonl").write_text((run / "metrics.jsonl").read_text().replace('mean@1": 0.4', 'mean@1": 0.7'))
    assert find_run(run, "best").step == 5


def test_a_step_is_taken_by_its_number(make_run, refusal):
    run = make_run([5, 10])
    assert find_run(run, "5").step == 5
    assert "has no checkpoint of step 7; choose another --step (there are 5, 10)" in refusal(run, "7")
    assert "has no validation at a step with a checkpoint; choose one with --step N (there are 5" in refusal(
        run, "best"
    )


def test_folders_without_a_checkpoint_are_refused_with_what_helps(make_run, tmp_path, refusal):
    (tmp_path / "other").mkdir()
    assert "is no folder of a run: it has no global_step_N" in refusal(tmp_path / "other")
    (tmp_path / "other" / "global_step_3").mkdir()
    assert "has no global_step_3/actor: it is not of a run of this package" in refusal(tmp_path / "other")
    run = make_run([])
    assert "has no checkpoint (global_step_N): set trainer.save_freq" in refusal(run)
    (run / "global_step_1").mkdir()
    (tmp_path / "other" / "global_step_3").rmdir()
    assert f"is not the folder of one run but of several; give --run {run}" in refusal(tmp_path)


def test_settings_are_those_that_the_run_left(make_run):
    run = make_run([1])
    assert find_run(run, "last").setting("data.val_files", "none") == "none"
    (run / "config.yaml").write_text("data: {val_files: /a.parquet, train_files: [/b.parquet, /c.parquet]}\n")
    found = find_run(run, "last")
    assert [str(file) for file in found.files("data.val_files")] == ["/a.parquet"]
    assert [str(file) for file in found.files("data.train_files")] == ["/b.parquet", "/c.parquet"]
    assert found.files("data.none") == []
