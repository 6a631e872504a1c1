"""A name that stands in two files is looked for in the wrong one."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = [path for package in ("recipe/edge_grpo", "reward_fns", "data_prep") for path in (ROOT / package).rglob("*.py")]


def constants(source: str) -> set[str]:
    """The names in capitals that a file gives a value at its top level."""
    names = set()
    for node in ast.parse(source).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names |= {target.id for target in targets if isinstance(target, ast.Name) and target.id.isupper()}
    return names


def test_a_constant_has_a_name_that_no_other_file_gives_to_one():
    files_of = defaultdict(list)
    for path in FILES:
        for name in constants(path.read_text(encoding="utf-8")):
            files_of[name].append(str(path.relative_to(ROOT)))
    assert len(files_of) > 100
    assert {name: files for name, files in files_of.items() if len(files) > 1} == {}


def test_constants_are_found_with_and_without_a_type_and_nothing_else_is():
    assert constants("A = 1\nB: int = 2\n_C = D = 3\nlower = 4\ndef f():\n    E = 5") == {"A", "B", "_C", "D"}
