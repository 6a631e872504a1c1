"""Comparison of runs, which needs no model."""

from recipe.edge_grpo.evaluate import __main__ as evaluate


def test_runs_are_compared_without_a_model(run, scripted_sampler, tmp_path, capsys):
    run(scripted_sampler(), name="one")
    run(scripted_sampler(), "--temperatures", "1.0", name="two")
    capsys.readouterr()
    evaluate.main(["--compare", str(tmp_path / "one"), str(tmp_path / "two"), "--published"])
    table = capsys.readouterr().out
    assert [line.split("|")[1].strip() for line in table.splitlines()[2:4]] == ["one", "two"]
    assert "published: EDGE-GRPO, Qwen2.5-Math-7B, DeepScaleR-Hard-1K" in table


def test_runs_in_folders_of_the_same_name_are_told_apart(run, scripted_sampler, tmp_path, capsys):
    folders = [str(run(scripted_sampler(), name=f"{parent}/eval")) for parent in ("a", "b")]
    capsys.readouterr()
    evaluate.main(["--compare", *folders])
    table = capsys.readouterr().out
    assert [line.split("|")[1].strip() for line in table.splitlines()[2:4]] == folders


def test_what_cannot_be_compared_is_named(tmp_path, refused):
    (tmp_path / "empty").mkdir()
    assert "results.json" in refused(evaluate.main, ["--compare", str(tmp_path / "empty")])
    (tmp_path / "empty" / "results.json").write_text("{")
    assert "results.json: Expecting" in refused(evaluate.main, ["--compare", str(tmp_path / "empty")])
    (tmp_path / "empty" / "results.json").write_text("{}")
    assert "run 'empty' is no summary" in refused(evaluate.main, ["--compare", str(tmp_path / "empty")])
    assert "there is no run to compare" in refused(evaluate.main, ["--compare"])
