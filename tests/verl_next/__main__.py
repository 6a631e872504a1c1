"""`make verl-next`: is the newest verl one that the plugin can move to?

Installs it in an environment of its own, which sees all other packages of `.venv`; prints which of the names that the
plugin stands on differ, and what this verl asks for and the lock has not; then runs the tests marked `seam`, and two
training steps of the quickstart. Exit code 0: tests and training passed, whatever differs. An argument such as
verl==0.9.0 takes the place of the newest.
"""

import importlib.metadata
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from verl_next.compare import describe_changes, headline, read_definitions, unmet_requirements
from verl_next.seams import SEAMS

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".venv" / "verl-next"
PYTHON = str(ENVIRONMENT / "bin" / "python")
LOCKED_PACKAGES = Path(sysconfig.get_path("purelib"))
NEXT_PACKAGES = Path(sysconfig.get_path("purelib", vars={"base": str(ENVIRONMENT)}))

DIFFERENCES = ENVIRONMENT / "differences.txt"

NUM_STEPS = 2
SEAM_TESTS = [PYTHON, "-m", "pytest", "-n", "2", "--dist", "loadfile", "-m", "seam and not run and not end_to_end"]
TRAINING = [PYTHON, "-m", "recipe.edge_grpo.quickstart", "--steps", str(NUM_STEPS)]
TRAINING += ["--output-dir", "runs/verl-next"]


def make_environment(requirement: str) -> None:
    """Install verl alone; whatever else is imported comes from `.venv`, behind it on the path."""
    venv.EnvBuilder(clear=True, with_pip=True).create(ENVIRONMENT)
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--upgrade"]
    subprocess.run([*pip, requirement], check=True)
    (NEXT_PACKAGES / "locked.pth").write_text(f"{LOCKED_PACKAGES}\n")


def installed_verl(packages: Path) -> importlib.metadata.Distribution:
    (found,) = importlib.metadata.distributions(name="verl", path=[str(packages)])
    return found


def print_comparison() -> None:
    before, after = installed_verl(LOCKED_PACKAGES), installed_verl(NEXT_PACKAGES)
    changes = describe_changes(read_definitions(LOCKED_PACKAGES, SEAMS), read_definitions(NEXT_PACKAGES, SEAMS))
    print(headline(before.version, after.version, len(SEAMS), len(changes)))
    print("\n".join(change.partition("\n")[0] for change in changes))
    if changes:
        DIFFERENCES.write_text("\n\n".join(changes) + "\n", encoding="utf-8")
        print(f"line by line: {DIFFERENCES.relative_to(ROOT)}")
    versions = {each.name.lower().replace("_", "-"): each.version for each in importlib.metadata.distributions()}
    for unmet in unmet_requirements(after.requires or (), versions):
        print(f"it asks for {unmet}")
    sys.stdout.flush()


def passes(title: str, command: list[str]) -> bool:
    """Run a command from the root of the checkout, which the environment has not installed."""
    print(f"\n{title}", flush=True)
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}).returncode == 0


def main(requirement: str = "verl") -> int:
    make_environment(requirement)
    print_comparison()
    failed = [
        title
        for title, command in (("The tests of verl's seams", SEAM_TESTS), ("Two training steps", TRAINING))
        if not passes(title, command)
    ]
    print(f"\n{' and '.join(failed)} failed" if failed else "\nThe tests of verl's seams and two training steps pass")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
