"""What the pages name is there: links, paths, modules, keys, recipes, metrics; and the README stays one screen."""

import importlib.util
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "recipe" / "edge_grpo" / "config"
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "recipe/edge_grpo/README.md")]
PAGES += sorted((ROOT / "docs").glob("*.md"))
OF_TODAY = [page for page in PAGES if page.name != "CHANGELOG.md"]  # which names what has gone, too
MAX_README_LINES = 130

a_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
a_page_of_today = pytest.mark.parametrize("page", OF_TODAY, ids=lambda page: str(page.relative_to(ROOT)))

REPOSITORY_PATH = re.compile(r"(recipe|reward_fns|data_prep|docs|tests|requirements)/\S*")


def inline_code(text: str) -> list[str]:
    """What stands in backticks, outside of indented blocks."""
    prose = "\n".join("" if line.startswith("    ") else line for line in text.splitlines())
    return re.findall(r"`([^`]+)`", prose)


def alternatives(text: str) -> list[str]:
    """Every text that braces stand for.

    >>> alternatives("a/{b,c}_{d,e}")
    ['a/b_d', 'a/b_e', 'a/c_d', 'a/c_e']
    """
    parts = [part.split(",") if number % 2 else [part] for number, part in enumerate(re.split(r"[{}]", text))]
    return ["".join(choice) for choice in product(*parts)]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them: lower case, no punctuation, hyphens for blanks."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def module_exists(name: str) -> bool:
    """True if `python -m name` finds something to run; nothing of it is imported."""
    top, *rest = name.split(".")
    if (ROOT / top).is_dir():
        folders = [ROOT / top]
    else:
        spec = importlib.util.find_spec(top)
        folders = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
    paths = [folder.joinpath(*rest) for folder in folders]
    return any(path.with_suffix(".py").is_file() or (path / "__main__.py").is_file() for path in paths)


@a_page
def test_every_link_leads_to_a_file_and_every_anchor_to_a_heading(page):
    text = re.sub(r"`[^`]*`", "code", page.read_text(encoding="utf-8"))
    links = re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", text)
    astray = []
    for link in links:
        path, _, anchor = link.partition("#")
        if "://" in path:
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            astray.append(link)
    assert astray == []


def test_links_are_found_and_the_readme_leads_to_every_page_of_docs():
    links = re.findall(r"\]\(docs/(\w+\.md)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert set(links) == {page.name for page in PAGES if page.parent.name == "docs"}


@a_page_of_today
def test_every_path_of_the_repository_in_backticks_exists(page):
    named = [word for code in inline_code(page.read_text(encoding="utf-8")) for word in code.split()]
    paths = [path for word in named if REPOSITORY_PATH.fullmatch(word) for path in alternatives(word)]
    assert [path for path in paths if not any(ROOT.glob(path.rstrip("/")))] == []


@a_page
def test_every_module_that_is_run_exists(page):
    named = re.findall(r"python -m ([\w.]+(?:\{[^}]+\})?[\w.]*)", page.read_text(encoding="utf-8"))
    assert [name for text in named for name in alternatives(text) if not module_exists(name)] == []


@a_page
def test_every_target_of_make_exists(page):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    text = page.read_text(encoding="utf-8")
    commands = [code for code in inline_code(text) if code.startswith("make ")]
    commands += re.findall(r"^    (make .*)$", text, re.MULTILINE)
    assert [command for command in commands if command.split()[1] not in targets] == []


def keys_of(block: dict, prefix: str) -> Iterator[str]:
    for name, value in block.items():
        yield f"{prefix}.{name}"
        if isinstance(value, dict):
            yield from keys_of(value, f"{prefix}.{name}")


@a_page_of_today
def test_every_key_of_our_own_block_exists(page):
    known = {"edge_grpo.yaml"}
    for recipe in CONFIG.glob("recipe/*.yaml"):  # those of rival methods have constants of their own
        known |= set(keys_of(yaml.safe_load(recipe.read_text()).get("edge_grpo", {}), "edge_grpo"))
    named = re.findall(r"(?<![\w./+=-])edge_grpo(?:\.[a-z_]+)+", page.read_text(encoding="utf-8"))
    assert set(named) <= known


@a_page
def test_every_recipe_and_profile_exists(page):
    named = re.findall(r"\+(recipe|profile)=([\w.]*\w)", page.read_text(encoding="utf-8"))
    named = [(kind, name) for kind, name in named if name != "NAME"]  # a new one
    assert [name for kind, name in named if not (CONFIG / kind / f"{name}.yaml").is_file()] == []


def test_the_readme_has_a_row_for_every_recipe_and_names_every_profile():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("| `+recipe=` |")[2].partition("\n\n")[0]
    named = {name for row in table.splitlines() for name in inline_code(row.split(" | ")[0])}
    assert named == {path.stem for path in CONFIG.glob("recipe/*.yaml")}
    assert all(f"`{path.stem}`" in readme for path in CONFIG.glob("profile/*.yaml"))


def test_the_readme_is_one_screen():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= MAX_README_LINES


def test_the_page_of_metrics_has_those_that_a_step_reports_and_no_others():
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = page.partition("| metric |")[2].partition("\n\n")[0].splitlines()[2:]
    documented = {name for row in rows for code in inline_code(row.split(" | ")[0]) for name in alternatives(code)}
    # The metrics of one step whose responses bring forth all of them but the strategies' rates and the gradings.
    test = (ROOT / "tests" / "edge_grpo" / "training_step" / "test_reported_metrics.py").read_text(encoding="utf-8")
    reported = set(re.findall(r'"edge_grpo/([\w/]+)":', test))
    assert len(reported) > 30
    assert reported - documented == set()
    assert {name for name in documented - reported if not name.startswith("verify/")} == set()


EXTENDING = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
CHANGES = {section.partition("\n")[0]: section for section in EXTENDING.split("\n## ")[1:]}
STEP = re.compile(r"^\d+\. (?:`([^`]+)`(?: \(([^)]+)\))?|a new file `([^`]+)` in `([^`]+)`)", re.MULTILINE)


def test_the_numbers_of_files_of_a_change_are_those_of_its_list():
    counts = re.findall(r"^\| \[([^\]]+)\]\([^)]+\) \| (\d+) \| (\d+) \|$", EXTENDING, re.MULTILINE)
    assert [name for name, _, _ in counts] == list(CHANGES)
    for name, num_files, num_tests in counts:
        steps = STEP.findall(CHANGES[name])
        is_test = [(path or folder).startswith("tests/") for path, _, _, folder in steps]
        assert (len(steps) - sum(is_test), sum(is_test)) == (int(num_files), int(num_tests)), name
        numbers = re.findall(r"^(\d+)\. ", CHANGES[name], re.MULTILINE)
        assert numbers == [str(number) for number in range(1, len(steps) + 1)], name


@pytest.mark.parametrize("change", CHANGES)
def test_every_file_to_open_has_the_names_to_look_for(change):
    missing = []
    for path, names, _, _ in STEP.findall(CHANGES[change]):
        if path:
            text = (ROOT / path).read_text(encoding="utf-8")
            missing += [f"{path}: {name}" for name in re.findall(r"`([^`]+)`", names) if name not in text]
    assert missing == []
