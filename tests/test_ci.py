""".ci/run: it leaves out no file of training tests that `make test-runs` has."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_every_file_with_training_tests_has_its_place_in_ci():
    script = ROOT / ".ci" / "run"
    if not script.exists():
        pytest.skip("this copy of the project has no .ci/run")
    named = re.findall(r"(?<=\s)tests/[\w/.]+", script.read_text())
    assert all((ROOT / path).exists() for path in named)
    with_runs = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("test_*.py")
        if re.search(r"mark\.(run|real_model)\b", path.read_text()) and path != Path(__file__)
    ]
    # Of the real model, for which a package is asked from PyPI: see `make real-model`.
    left = [path for path in with_runs if not path.startswith(tuple(named)) and "test_real_model" not in path]
    assert with_runs and left == []
