"""`make mutants`: plants faults in the pure modules, one by one; lists those that no test without a process finds.

A report and not a test: some faults change nothing that anybody could see. mutmut plants them, in a copy in `mutants/`;
which modules and which tests, is in `[tool.mutmut]` of pyproject.toml. It changes bodies of functions: tables of a
module stay as they are, and so do functions with a decorator, such as `property`.

    .venv/mutmut/bin/python -m mutmut show NAME     a fault of the last report, as a diff
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOOL = "mutmut==3.8.1"
ENVIRONMENT = ROOT / ".venv" / "mutmut"
LOG = ENVIRONMENT / "run.log"
COMMAND = [str(ENVIRONMENT / "bin" / "python"), "-m", "mutmut"]
# A process that is forked from one whose OpenMP threads have run waits for them for ever.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def make_environment() -> None:
    """Make the environment of the tool, which sees the packages of `.venv` but not the checkout installed there."""
    venv.EnvBuilder(clear=True, with_pip=True).create(ENVIRONMENT)
    packages = sysconfig.get_path("purelib", vars={"base": str(ENVIRONMENT)})
    Path(packages, "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")
    subprocess.run([COMMAND[0], "-m", "pip", "install", "--quiet", TOOL], check=True)


def run_tool(*arguments: str) -> str:
    return subprocess.run([*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def statuses() -> dict[str, dict[str, str]]:
    """Return {module: {mutant: killed, timeout, survived, "no tests"...}} of the last run."""
    by_module: dict[str, dict[str, str]] = defaultdict(dict)
    for name, status in re.findall(r"^ +(\S+): (.+)$", run_tool("results", "--all", "true"), flags=re.MULTILINE):
        by_module[name.rpartition(".")[0].removeprefix("recipe.edge_grpo.")][name] = status
    return by_module


def is_killed(status: str) -> bool:
    """A fault that makes the tests too slow counts as found, but is printed: it may be the machine that is slow."""
    return status in ("killed", "timeout")


def print_table(by_module: dict[str, dict[str, str]]) -> None:
    rows = {module: Counter(is_killed(status) for status in found.values()) for module, found in by_module.items()}
    rows["all"] = sum(rows.values(), Counter())
    print(f"{'module':34} {'mutants':>7} {'killed':>7} {'survived':>8} {'share':>7}")
    for module, counts in rows.items():
        print(f"{module:34} {counts.total():7} {counts[True]:7} {counts[False]:8} {counts[True] / counts.total():7.1%}")


def print_survivors(by_module: dict[str, dict[str, str]]) -> None:
    for name, status in ((name, status) for found in by_module.values() for name, status in found.items()):
        if status != "killed":
            print(f"\n{name.removeprefix('recipe.edge_grpo.')}: {status}")
            changed = re.findall(r"^[-+](?![-+]).*", run_tool("show", name), flags=re.MULTILINE)
            print("\n".join(f"    {line}" for line in changed))


def main() -> None:
    make_environment()
    shutil.rmtree(ROOT / "mutants", ignore_errors=True)
    print(f"planting faults, which takes a while; progress is in {LOG.relative_to(ROOT)}", flush=True)
    with LOG.open("w") as log:
        finished = subprocess.run([*COMMAND, "run"], cwd=ROOT, env=os.environ | ONE_THREAD, stdout=log, stderr=log)
    if finished.returncode:
        sys.exit(f"mutmut ended with exit code {finished.returncode}:\n{LOG.read_text()[-3000:]}")
    by_module = statuses()
    print_table(by_module)
    print_survivors(by_module)


if __name__ == "__main__":
    main()
