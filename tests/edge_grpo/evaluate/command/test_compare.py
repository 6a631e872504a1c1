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


def test_runs_are_compared_on_their_common_problems_and_the_others_are_named(run, scripted_sampler, capsys):
    base = run(scripted_sampler(), name="base")
    mine = run(scripted_sampler(lambda request: r"\boxed{7}"), "--limit", "2", name="mine")
    capsys.readouterr()
    evaluate.main(["--compare", str(base), str(mine)])
    table = capsys.readouterr().out
    section = table[table.index("## On the same problems as base") :]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line[:1] == "|"]
    assert [row[2:4] for row in rows[2:]] == [["amc", "2"], ["minerva", "2"], ["all problems", "4"]]
    assert "- Not compared at temperature 0.1: 1 of amc only in base: 2." in section.splitlines()


def test_a_run_without_its_responses_is_in_the_table_and_named_below_it(run, scripted_sampler, capsys):
    folders = [run(scripted_sampler(), name=name) for name in ("one", "two")]
    (folders[1] / "responses.parquet").unlink()
    capsys.readouterr()
    evaluate.main(["--compare", *map(str, folders)])
    table = capsys.readouterr().out
    assert "- two has no responses.parquet: its problems are not compared." in table.splitlines()
    assert "On the same problems" not in table


def test_a_comparison_is_written_as_it_is_printed_and_replaces_nothing_else(
    run, scripted_sampler, tmp_path, capsys, refused
):
    folders = [str(run(scripted_sampler(), name=name)) for name in ("one", "two")]
    arguments = ["--compare", *folders, "--output-dir", str(tmp_path / "compared")]
    capsys.readouterr()
    evaluate.main(arguments)
    written = tmp_path / "compared" / "comparison.md"
    assert capsys.readouterr().out == written.read_text() + "\n"
    evaluate.main(arguments)  # the same again
    written.write_text("my notes")
    assert "comparison.md holds something else; give another --output-dir" in refused(evaluate.main, arguments)
    assert written.read_text() == "my notes"
    evaluate.main([*arguments, "--overwrite"])
    assert written.read_text().startswith("| run")
    assert [path.name for path in written.parent.iterdir()] == ["comparison.md"]
