"""The `>>>` examples in the docstrings of all packages are true."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in ("recipe/edge_grpo", "reward_fns", "data_prep")
    for path in sorted((ROOT / package).rglob("*.py"))
    if "    >>> " in path.read_text(encoding="utf-8")
]


def test_examples_are_found_in_every_package_that_has_some():
    assert len(MODULES) > 20
    assert {name.partition(".")[0] for name in MODULES} >= {"recipe", "data_prep"}


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name, capsys):
    failed, num_examples = doctest.testmod(importlib.import_module(name))
    assert num_examples > 0
    assert failed == 0, capsys.readouterr().out
