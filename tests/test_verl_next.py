"""`make verl-next`: what it compares is all that the plugin stands on, and a change of verl is found and shown."""

import ast
import doctest
import json
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from verl_next import compare
from verl_next.seams import OVERRIDDEN, PATCHED, SEAMS

ROOT = Path(__file__).parent.parent
PACKAGES = Path(sysconfig.get_path("purelib"))

BEFORE = '''
class Trainer(Base):
    def fit(self, manager):
        """Train."""
        for step in range(3):  # a comment
            self.step(step)

    async def stop(self): ...
'''


def changes(after, *names):
    definitions = [{f"m:{name}": compare.find_definition(source, name) for name in names} for source in (BEFORE, after)]
    return compare.describe_changes(*definitions)


def test_layout_and_comments_are_no_change():
    assert changes(BEFORE.replace("  # a comment", "\n"), "Trainer", "Trainer.fit", "Trainer.stop") == []


def test_a_function_whose_body_has_changed_is_shown_line_by_line():
    (paragraph,) = changes(BEFORE.replace("range(3)", "range(4)"), "Trainer.fit", "Trainer.stop")
    assert paragraph.splitlines()[0] == "BODY  m:Trainer.fit"
    assert "    -    for step in range(3):" in paragraph.splitlines()
    assert "    +    for step in range(4):" in paragraph.splitlines()


def test_an_argument_more_is_a_change_of_signature_of_the_method_and_of_its_class():
    paragraphs = changes(BEFORE.replace("manager)", "manager, limit=None)"), "Trainer", "Trainer.fit")
    assert [paragraph.splitlines()[0] for paragraph in paragraphs] == [
        "SIGNATURE  m:Trainer",
        "SIGNATURE  m:Trainer.fit",
    ]


def test_a_function_that_verl_no_longer_has_or_has_now_is_named():
    assert changes(BEFORE.replace("def fit", "def train"), "Trainer.fit", "Trainer.train", "Trainer.neither") == [
        "GONE  m:Trainer.fit",
        "NEW  m:Trainer.train",
    ]


def test_an_index_without_a_newer_verl_is_said_to_have_none():
    assert "the newest that the index has" in compare.headline("0.9.1", "0.9.1", 3, 0)
    assert "1 differ, 2 are the same" in compare.headline("0.9.1", "0.9.2", 3, 1)


def test_a_requirement_that_the_lock_does_not_meet_is_told_with_the_version_that_it_has():
    asked = ["numpy>=3", "Tensor_Dict==1", "absent", "vllm==0.1; extra == 'vllm'", "x; python_version < '3'", "??"]
    assert compare.unmet_requirements(asked, {"numpy": "2.3.5", "tensor-dict": "1"}) == [
        "numpy>=3, and 2.3.5 is installed",
        "absent, and none is installed",
        "??, which cannot be read",
    ]


def test_the_examples_hold():
    assert doctest.testmod(compare).failed == 0


@pytest.mark.slow
def test_every_name_in_the_table_is_one_that_the_installed_verl_has():
    assert [seam for seam, code in compare.read_definitions(PACKAGES, SEAMS).items() if code is None] == []


def test_every_module_of_verl_that_a_patch_waits_for_is_in_the_table():
    files = [ROOT / "recipe/edge_grpo/plugin.py", *(ROOT / "recipe/edge_grpo/verl_patches").glob("*.py")]
    waited_for = {name for file in files for name in re.findall(r'"(verl\.[\w.]+)"', file.read_text(encoding="utf-8"))}
    compared = {seam.partition(":")[0] for seam in SEAMS}
    assert waited_for
    assert {name for name in waited_for if not any(f"{each}.".startswith(f"{name}.") for each in compared)} == set()


FIND_OVERRIDES = """
import importlib, json, os, sys
os.environ["VERL_PLATFORM"] = "cpu"
import verl

found = set()
for module in json.loads(sys.argv[1]):
    for cls in vars(importlib.import_module(module)).values():
        if not isinstance(cls, type) or cls.__module__ != module:
            continue
        ours = [each for each in cls.__mro__ if each.__module__.startswith("recipe.")]
        for name in {name for each in ours for name in vars(each)} - {"__module__", "__doc__", "__qualname__"}:
            bases = [each for each in cls.__mro__ if each.__module__.startswith("verl.") and name in vars(each)]
            if bases and (callable(getattr(bases[0], name)) or isinstance(vars(bases[0])[name], property)):
                found.add(f"{bases[0].__module__}:{bases[0].__qualname__}.{name}")
print("FOUND" + json.dumps(sorted(found)))
"""


@pytest.mark.process
def test_every_method_of_verl_that_a_class_of_ours_overrides_is_in_the_table():
    def has_a_base(file):
        return any(isinstance(node, ast.ClassDef) and node.bases for node in ast.walk(ast.parse(file.read_text())))

    folders = ("training_step", "correction", "cpu", "run", "verl_patches")
    files = [file for name in folders for file in (ROOT / "recipe" / "edge_grpo" / name).rglob("*.py")]
    modules = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files if has_a_base(file)]
    command = [sys.executable, "-c", FIND_OVERRIDES, json.dumps(modules)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    overridden = json.loads(done.stdout.rpartition("FOUND")[2])
    assert len(overridden) > 30
    listed = {
        f"{module}:{name}" for table in (OVERRIDDEN, PATCHED) for module, names in table.items() for name in names
    }
    assert [name for name in overridden if not {name, name.rpartition(".")[0]} & listed] == []
