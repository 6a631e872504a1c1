"""The order of the rooms: who may import whom. The imports of every file are parsed, those inside functions as well."""

import ast
import graphlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("recipe/edge_grpo", "reward_fns", "data_prep")
RECIPE = "recipe.edge_grpo"

GROUND = {"advantage", "intervals", "names", "settings"}
BELOW_RUN = GROUND | {"correction", "data_prep", "cpu", "verl_patches"}
TOOLS = {"quickstart", "evaluate", "report", "slurm", "laboratory"}

MAY_IMPORT = {
    "advantage": set(),
    "intervals": set(),
    "names": set(),
    "settings": set(),
    "correction": GROUND,
    "run": BELOW_RUN,
    "training_step": BELOW_RUN | {"run", "comparators"},
    "plugin": BELOW_RUN | {"run", "training_step", "comparators"},
    "doctor": BELOW_RUN | {"run", "training_step", "plugin"},
    "comparators": {"advantage"},
    "reward_fns": set(),
    "data_prep": {"reward_fns"},
    "cpu": {"names", "data_prep"},
    "verl_patches": {"data_prep", "cpu"},
    **{tool: GROUND | {"correction", "cpu", "data_prep", "reward_fns"} for tool in TOOLS},
    "laboratory": GROUND | {"correction", "training_step", "comparators", "reward_fns"},
}
"""{room: the rooms that it may import}; nothing imports a tool, and the table of contents imports nothing."""

MAY_IMPORT_IN_DATA_PREP = {
    "sources": set(),
    "presets": set(),
    "writing": set(),
    "sampling": set(),
    "problems": {"sources", "presets", "writing"},
    "quality": {"problems", "writing"},
}
"""{folder of data_prep: the folders of it that it may import}; the commands use them all"""

ENGINES = {"verl", "transfer_queue", "vllm"}
ROOMS_WITH_ENGINES = ("recipe/edge_grpo/verl_patches/", "recipe/edge_grpo/cpu/", "data_prep/sampling/")
FILES_WITH_ENGINES = {
    "recipe/edge_grpo/correction/rollout.py",
    "recipe/edge_grpo/training_step/trainer.py",
    "recipe/edge_grpo/training_step/transfer_queue.py",
    "recipe/edge_grpo/training_step/policy_loss.py",
    "recipe/edge_grpo/doctor.py",
}

FILES = sorted(
    str(path.relative_to(ROOT))
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "__pycache__" not in path.parts
)

# "module:function", which is imported when it is called
LATE = re.compile(r"((?:recipe\.edge_grpo|reward_fns|data_prep)(?:\.\w+)*):\w+")


def module_of(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


MODULES = {module_of(file) for file in FILES}


def imports(source: str, module: str) -> Iterator[str]:
    """The modules that a source imports, wherever it does; a name that is a module of ours counts as one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # a relative import counts from the package of the module
            base = ".".join([*module.split(".")[: -node.level], node.module or ""]) if node.level else node.module
            for alias in node.names:
                name = f"{base}.{alias.name}"
                yield name if name in MODULES else str(base)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and (late := LATE.fullmatch(node.value)):
            yield late[1]


def room_of(module: str) -> str | None:
    """The room of a module of ours: the folder or file below recipe/edge_grpo, or the package; None for others."""
    if module == RECIPE or module.startswith(f"{RECIPE}."):
        return module.split(".")[2] if module != RECIPE else ""
    package = module.split(".")[0]
    return package if package in ("reward_fns", "data_prep") else None


def folder_of_data_prep(module: str) -> str | None:
    """The folder of data_prep that a module is in; None for its commands and for what is not in data_prep."""
    package, _, rest = module.partition(".")
    folder = rest.partition(".")[0]
    return folder if package == "data_prep" and folder in MAY_IMPORT_IN_DATA_PREP else None


def forbidden_imports(file: str, source: str) -> list[str]:
    """What a file imports that its room may not, by name."""
    module = module_of(file)
    room = room_of(module)
    allowed = MAY_IMPORT.get(room, set()) | {room}
    found = []
    for name in imports(source, module):
        other = room_of(name)
        if other is not None and other not in allowed:
            found.append(name)
        folder = folder_of_data_prep(module)
        within = MAY_IMPORT_IN_DATA_PREP.get(folder or "", set()) | {folder}
        if folder is not None and other == "data_prep" and folder_of_data_prep(name) not in within:
            found.append(name)
        is_engine = name.split(".")[0] in ENGINES
        if is_engine and file not in FILES_WITH_ENGINES and not file.startswith(ROOMS_WITH_ENGINES):
            found.append(name)
    return found


def read(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def test_every_folder_of_data_prep_has_its_place_in_the_order():
    assert {path.parent.name for path in (ROOT / "data_prep").glob("*/__init__.py")} == set(MAY_IMPORT_IN_DATA_PREP)


def test_every_room_has_its_place_in_the_order():
    rooms = {room_of(module) for module in MODULES} - {"", "config"}
    assert rooms <= set(MAY_IMPORT)
    assert rooms >= set(MAY_IMPORT)


@pytest.mark.parametrize("file", FILES)
def test_a_file_imports_only_what_its_room_may(file):
    assert forbidden_imports(file, read(file)) == []


@pytest.mark.parametrize(
    ("file", "line", "found"),
    [
        ("recipe/edge_grpo/advantage.py", "import recipe.edge_grpo.names", ["recipe.edge_grpo.names"]),
        ("recipe/edge_grpo/correction/corrector.py", "def f():\n    import verl.utils", ["verl.utils"]),
        ("recipe/edge_grpo/names.py", "import recipe.edge_grpo.run.stall as s", ["recipe.edge_grpo.run.stall"]),
        ("recipe/edge_grpo/correction/draws.py", "from ..run import stall", ["recipe.edge_grpo.run.stall"]),
        ("recipe/edge_grpo/run/stall.py", "from recipe.edge_grpo import evaluate", ["recipe.edge_grpo.evaluate"]),
        ("recipe/edge_grpo/run/lifecycle.py", "import transfer_queue as tq", ["transfer_queue"]),
        ("recipe/edge_grpo/verl_patches/loopback.py", "import verl\nx = 'recipe.edge_grpo.run.stall:Stall'",
         ["recipe.edge_grpo.run.stall"]),
        ("recipe/edge_grpo/report/table.py", "from recipe.edge_grpo.evaluate import tables",
         ["recipe.edge_grpo.evaluate.tables"]),
        ("recipe/edge_grpo/training_step/metrics.py", "import vllm", ["vllm"]),
        ("recipe/edge_grpo/comparators/egpo.py", "from recipe.edge_grpo.settings import block",
         ["recipe.edge_grpo.settings.block"]),
        ("reward_fns/limits.py", "from data_prep.writing import rows", ["data_prep.writing.rows"]),
        ("data_prep/writing/rows.py", "from recipe.edge_grpo.names import ESTIMATOR", ["recipe.edge_grpo.names"]),
        ("data_prep/sources/hub.py", "from data_prep.problems import golds", ["data_prep.problems.golds"]),
        ("data_prep/problems/golds.py", "from data_prep.preparation import prepare", ["data_prep.preparation"]),
        ("data_prep/prepare.py", "from data_prep.quality import summary", []),
        ("recipe/edge_grpo/__init__.py", "from recipe.edge_grpo.advantage import entropy_ratio",
         ["recipe.edge_grpo.advantage"]),
        ("recipe/edge_grpo/run/stall.py", "from recipe.edge_grpo.correction import failure\nimport ray", []),
    ],
)  # fmt: skip
def test_an_import_that_breaks_the_order_is_found(file, line, found):
    assert forbidden_imports(file, line) == found


def test_no_files_import_each_other_in_a_circle():
    graph = {module_of(file): set(imports(read(file), module_of(file))) & MODULES for file in FILES}
    for module in graph:
        graph[module] -= {module}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError with the circle
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter({"a": {"b"}, "b": {"a"}}).prepare()


PURE_ROOMS = tuple(f"recipe/edge_grpo/{room}" for room in ("advantage.py", "comparators/", "settings/", "correction/"))


@pytest.mark.parametrize("file", sorted({file for file in FILES if file.startswith(PURE_ROOMS)} - FILES_WITH_ENGINES))
def test_the_method_itself_loads_with_torch_and_the_standard_library_only(file):
    """As far as a file imports at its top; what a function imports late, or for a type checker alone, is left out."""
    top_level = [node for node in ast.parse(read(file)).body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = imports("\n".join(map(ast.unparse, top_level)), module_of(file))
    assert {name.split(".")[0] for name in names} - {"torch", "recipe"} <= sys.stdlib_module_names
