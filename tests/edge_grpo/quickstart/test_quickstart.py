"""The quickstart's command line, and the command that it runs; the run itself is what test_end_to_end.py covers."""

from argparse import Namespace
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from recipe.edge_grpo.quickstart.__main__ import parse_arguments, training_command


def test_without_arguments_it_trains_twenty_steps_on_what_it_makes_itself() -> None:
    options, overrides = parse_arguments([])
    assert (options.model, options.train, options.val, options.steps, overrides) == (None, None, None, 20, [])


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
    command = training_command(options, tmp_path / "run")
    overrides = [part for part in command if "=" in part]
    OverridesParser.create().parse_overrides(overrides)
    config = compose("+recipe=edge_grpo", "+profile=cpu", *(part for part in overrides if not part.startswith("+")))
    assert command[1:3] == ["-m", "verl.trainer.main_ppo"]
    assert config.trainer.total_training_steps == 5
    assert config.trainer.rollout_data_dir == str(tmp_path / "run" / "rollouts")
