"""The quickstart's command line, and the command that it runs; the run itself is what test_end_to_end.py covers."""

from argparse import Namespace
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from recipe.edge_grpo.quickstart import __main__ as quickstart
from recipe.edge_grpo.quickstart.__main__ import parse_arguments, training_command


def test_without_arguments_it_trains_twenty_steps_on_what_it_makes_itself() -> None:
    options, overrides = parse_arguments([])
    assert (options.model, options.train, options.val, options.steps, overrides) == (None, None, None, 20, [])
    assert options.compare == []


@pytest.fixture
def started(monkeypatch, tmp_path: Path):
    """started(*arguments): the modules that the command starts, and the runs of verl with their overrides."""
    modules: list[tuple[str, ...]] = []
    runs: list[list[str]] = []

    def run_module(module: str, *arguments: object) -> None:
        modules.append((module, *map(str, arguments)))
        if module == "data_prep.arithmetic":
            folder = Path(arguments[-1])  # type: ignore[arg-type]
            folder.mkdir(parents=True, exist_ok=True)
            pyarrow.parquet.write_table(pyarrow.table({"row": list(range(256))}), folder / "test.parquet")

    def run_and_show(command: list[str], log_file: Path) -> int:
        (log_file.parent / "metrics.jsonl").write_text('{"step": 0, "data": {"val-core/carry/acc/mean@1": 0.5}}\n')
        runs.append(command)
        return 0

    monkeypatch.setattr(quickstart, "_run_module", run_module)
    monkeypatch.setattr(quickstart, "run_and_show", run_and_show)

    def started(*arguments: str):
        assert quickstart.main(["--output-dir", str(tmp_path / "out"), *arguments]) == 0
        return modules, runs

    return started


def test_a_comparison_trains_both_recipes_alike_and_draws_them_together(started, tmp_path: Path, capsys) -> None:
    modules, (ours, other) = started("--compare", "grpo", "data.seed=5")
    assert [module for module, *_ in modules] == [
        "data_prep.arithmetic", "recipe.edge_grpo.quickstart.tiny_policy.build", "recipe.edge_grpo.report"
    ]  # fmt: skip
    assert "+recipe=edge_grpo" in ours and "+recipe=grpo" in other
    (folder,) = (tmp_path / "out").glob("run-*")
    differing = {part.replace(str(folder), "") for part in set(ours) ^ set(other)}
    assert differing == {
        "+recipe=edge_grpo", "+recipe=grpo",
        "trainer.default_local_dir=/edge_grpo", "trainer.default_local_dir=/grpo",
    }  # fmt: skip
    assert modules[-1][1:] == (str(folder / "edge_grpo"), str(folder / "grpo"), "--output", str(folder))
    assert "data.seed=5" in ours
    printed = capsys.readouterr().out
    assert "Validation on 256 problems" in printed
    assert "  edge_grpo: 0.500 [0.439, 0.561]" in printed and "  grpo: 0.500" in printed


def test_settings_of_the_task_are_those_of_the_task_alone(started, tmp_path: Path) -> None:
    _, (of_the_task,) = started()
    assert set(quickstart.OF_THE_TASK) <= set(of_the_task)
    pyarrow.parquet.write_table(pyarrow.table({"row": [1, 2, 3]}), tmp_path / "mine.parquet")
    _, (_, of_mine) = started("--train", str(tmp_path / "mine.parquet"), "--output-dir", str(tmp_path / "other"))
    assert not set(quickstart.OF_THE_TASK) & set(of_mine)
    assert f"data.val_files={tmp_path / 'mine.parquet'}" in of_mine


def test_a_comparison_of_the_method_with_itself_is_refused(capsys) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--compare", "edge_grpo"])
    assert "--compare edge_grpo: that is what is trained anyway" in capsys.readouterr().err


def test_verl_overrides_are_passed_on(tmp_path: Path) -> None:
    options, overrides = parse_arguments(["--model", str(tmp_path), "data.max_prompt_length=1024", "+a.b=c"])
    assert options.model == tmp_path
    assert overrides == ["data.max_prompt_length=1024", "+a.b=c"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--train", "no/such/file.parquet"], "no/such/file.parquet"),
        (["--steps", "0"], "0"),
        (["--steps", "many"], "many"),
        (["--stpes", "3"], "--stpes"),
    ],
)
def test_a_bad_argument_is_named(arguments: list[str], named: str, capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        parse_arguments(arguments)
    assert stop.value.code == 2
    assert named in capsys.readouterr().err


def test_the_command_composes_with_verls_configuration(compose, tmp_path: Path) -> None:
    options = Namespace(model=tmp_path / "model", train=tmp_path / "a.parquet", val=tmp_path / "b.parquet", steps=5)
    command = training_command(options, tmp_path / "edge_grpo")
    overrides = [part for part in command if "=" in part]
    OverridesParser.create().parse_overrides(overrides)
    config = compose("+recipe=edge_grpo", "+profile=cpu", *(part for part in overrides if not part.startswith("+")))
    assert command[1:3] == ["-m", "verl.trainer.main_ppo"]
    assert config.trainer.total_training_steps == 5
    assert config.trainer.rollout_data_dir == str(tmp_path / "edge_grpo" / "rollouts")
