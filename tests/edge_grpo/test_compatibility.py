"""docs/compatibility.md, row by row: what is said to work names a test, the rest is composed, and refused or not.

A row is `| what | settings | state | test, message or note |`. Its settings are overrides in backticks, after
+recipe=edge_grpo unless they name a recipe; a refusal whose settings are words is one of data, and names a test.
"""

import importlib.metadata
import importlib.util
import inspect
import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "compatibility.md"
HEADER = "| what | settings | state | test, message or note |"
ENGINES = {"vllm", "sglang", "tensorrt_llm"}  # which are refused where they are not installed
STATES = {"works", "composes", "refused"}


class Row(NamedTuple):
    what: str
    settings: str
    state: str
    last: str

    @property
    def overrides(self) -> list[str]:
        words = [word for code in re.findall(r"`([^`]+)`", self.settings) for word in code.split()]
        return words if any(word.startswith("+recipe=") for word in words) else ["+recipe=edge_grpo", *words]

    @property
    def is_of_data(self) -> bool:
        return "=" not in self.settings

    @property
    def message(self) -> str:
        """The beginning of the refusal."""
        return re.findall(r"`([^`]+)`", self.last)[0]


def rows_of(page: str) -> list[Row]:
    """The rows of all tables on the page.

    >>> rows_of(HEADER + "\\n|---|---|---|---|\\n| a | `b=1` | works | c |\\n\\nx")[0].overrides
    ['+recipe=edge_grpo', 'b=1']
    """
    tables = page.split(HEADER)[1:]
    lines = [line for table in tables for line in table.strip().partition("\n\n")[0].splitlines()[1:]]
    return [Row(*(cell.strip() for cell in line.strip("|").split(" | "))) for line in lines]


ROWS = rows_of(PAGE.read_text(encoding="utf-8"))
NAMES = [f"{row.what}, {row.settings}" for row in ROWS]
IDS = [re.sub(r"\W+", " ", name).strip() for name in NAMES]


def rows_with(*states: str, of_data: bool = False) -> pytest.MarkDecorator:
    chosen = [(row, name) for row, name in zip(ROWS, IDS, strict=True) if row.state in states]
    chosen = [(row, name) for row, name in chosen if row.is_of_data <= of_data]
    return pytest.mark.parametrize("row", [row for row, _ in chosen], ids=[name for _, name in chosen])


@pytest.fixture
def configured(compose):
    """configured(row): its configuration; Hydra itself is needed for what is more than key=value."""

    def configured(row):
        plain = ("+recipe=", "+profile=")
        needs_hydra = any(
            word.startswith(("+", "model_engine=")) and not word.startswith(plain) for word in row.overrides
        )
        return compose(*row.overrides, through_hydra=needs_hydra)

    return configured


def test_every_row_has_a_state_and_is_there_once():
    assert len(ROWS) > 60
    assert [row for row in ROWS if row.state not in STATES] == []
    assert sorted(NAMES) == sorted(set(NAMES))


@pytest.fixture
def check(monkeypatch):
    """check(config): the start-up checks of a run, but for memory, on a machine that has every engine of verl."""
    from recipe.edge_grpo.cpu import start_checks
    from recipe.edge_grpo.run.config_checks import check_config

    find_spec = importlib.util.find_spec
    monkeypatch.setattr(start_checks, "check_memory", lambda config: None)

    def check(config):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: name in ENGINES or find_spec(name))
        check_config(config)
        if config.trainer.device == "cpu":
            start_checks.check_start(config)

    return check


@pytest.mark.process
@rows_with("refused")
def test_what_is_said_to_be_refused_is_refused_with_these_words(row, configured, check):
    config = configured(row)
    with pytest.raises(ValueError) as refused:
        check(config)
    assert str(refused.value).startswith(row.message)


@pytest.mark.process
@rows_with("works", "composes")
def test_what_is_said_to_work_or_to_compose_is_not_refused(row, configured, check):
    check(configured(row))


def find_named_tests(row):
    links = re.findall(r"\[(test_\w+)\]\(\.\./(tests/[\w/]+\.py)\)", row.last)
    assert links, "a test is named as [test_name](../tests/file.py)"
    return links


@rows_with("works", of_data=True)
def test_what_is_said_to_work_names_tests_that_there_are(row):
    for name, file in find_named_tests(row):
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.state == "refused" and row.is_of_data], ids=lambda row: row.what
)
def test_a_refusal_of_data_names_tests_that_there_are(row):
    for name, file in find_named_tests(row):
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.process
def test_what_is_said_to_work_or_to_compose_passes_verls_own_validation(configured, monkeypatch):
    """verl's checks of the configuration, which need no device; those of a critic need its model."""
    from recipe.edge_grpo.verl_patches import accelerator

    monkeypatch.setattr(importlib.metadata, "version", importlib.metadata.version)  # put back afterwards
    accelerator._find_vllm_under_its_cpu_name()
    from verl.trainer.ppo.utils import need_reference_policy
    from verl.utils.config import validate_config

    refusals = {}
    for row in ROWS:
        if row.state == "refused" or row.is_of_data:
            continue
        config = configured(row)
        try:
            inspect.unwrap(validate_config)(config, need_reference_policy(config), use_critic=False)
        except Exception as error:  # verl has several kinds
            refusals[row.what, row.settings] = f"{type(error).__name__}: {error}"
    assert refusals == {}
