"""What differs between two installs of verl, at the names that the plugin stands on. Files are parsed, never imported.

All but `read_definitions` is pure.
"""

import ast
import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement


def find_definition(source: str, name: str) -> str | None:
    """Return a function, a class or a method as Python code without comments; None where there is no such name.

    Equal results mean equal code: layout and comments do not count.

    >>> find_definition("class A:\\n    def f(self, x=1):  # why\\n        return  x", "A.f")
    'def f(self, x=1):\\n    return x'
    """
    node: ast.AST | None = ast.parse(source)
    for part in name.split("."):
        bodies = getattr(node, "body", [])
        node = next((child for child in bodies if getattr(child, "name", None) == part), None)
        if node is None:
            return None
    return ast.unparse(node)  # type: ignore[arg-type]


def read_definitions(folder: Path, seams: Iterable[str]) -> dict[str, str | None]:
    """Return {"module:name": its code, or None} for the packages installed in a folder."""
    definitions = {}
    for seam in seams:
        module, _, name = seam.partition(":")
        files = [folder / f"{module.replace('.', '/')}.py", folder / module.replace(".", "/") / "__init__.py"]
        file = next((file for file in files if file.is_file()), None)
        definitions[seam] = file and find_definition(file.read_text(encoding="utf-8"), name)
    return definitions


def signature(definition: str) -> str:
    """Return the first line of a function; of a class, its own and those of its methods.

    >>> signature("async def f(self, *, x: int=1) -> None:\\n    pass")
    'async def f(self, *, x: int=1) -> None: ...'
    """
    (node,) = ast.parse(definition).body
    methods = [child for child in node.body if hasattr(child, "args")] if isinstance(node, ast.ClassDef) else []
    for each in (node, *methods):
        each.body, each.decorator_list = [ast.Expr(ast.Constant(...))], []
    return "\n".join(" ".join(ast.unparse(each).split()) for each in (node, *methods))


def describe_changes(before: Mapping[str, str | None], after: Mapping[str, str | None]) -> list[str]:
    """Return a paragraph for each name whose code differs: what kind of change, and the difference line by line.

    Names that are in neither install are left out.
    """
    paragraphs = []
    for seam, old in before.items():
        new = after[seam]
        if old == new:
            continue
        if old is None or new is None:
            paragraphs.append(f"{'NEW' if old is None else 'GONE'}  {seam}")
            continue
        kind = "BODY" if signature(old) == signature(new) else "SIGNATURE"
        lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2)
        changed = [f"    {line}" for line in lines if not line.startswith(("---", "+++"))]
        paragraphs.append("\n".join([f"{kind}  {seam}", *changed]))
    return paragraphs


def unmet_requirements(requirements: Iterable[str], installed: Mapping[str, str]) -> list[str]:
    """Return what a package asks for and does not find; extras and other machines do not count.

    Args:
        requirements: as in its metadata.
        installed: {name in lower case: version}.

    >>> unmet_requirements(["numpy>=2", "ray>=3", "sglang; extra == 'sglang'"], {"numpy": "2.3", "ray": "2.60"})
    ['ray>=3, and 2.60 is installed']
    """
    unmet = []
    for text in requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            unmet.append(f"{text}, which cannot be read")
            continue
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        version = installed.get(requirement.name.lower().replace("_", "-"))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            unmet.append(f"{requirement}, and {version or 'none'} is installed")
    return unmet


def headline(before: str, after: str, num_seams: int, num_changed: int) -> str:
    """Return the first lines of the report.

    >>> print(headline("0.9.1", "0.9.2", 60, 2))
    verl 0.9.1 is what the plugin is pinned to; 0.9.2 is compared with it
    60 names of verl are patched, overridden or called: 2 differ, 58 are the same
    """
    versions = (
        f"verl {before} is what the plugin is pinned to, and the newest that the index has: it is compared with itself"
        if before == after
        else f"verl {before} is what the plugin is pinned to; {after} is compared with it"
    )
    same = f"{num_changed} differ, {num_seams - num_changed} are the same"
    return f"{versions}\n{num_seams} names of verl are patched, overridden or called: {same}"
