"""Where and when something is measured: commit, date, and the machine with its processor."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from recipe.edge_grpo.laboratory.study.records import Origin

CPUINFO = Path("/proc/cpuinfo")


def here_and_now(seconds: float) -> Origin:
    """Return where a run that ends now was made."""
    git = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    commit = subprocess.run(git, capture_output=True, text=True)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return Origin(
        commit=commit.stdout.strip() if commit.returncode == 0 else "not in a repository",
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=f"{processor_name(CPUINFO)}, {os.cpu_count()} cores, {memory:.0f} GiB",
        seconds=round(seconds, 1),
    )


def processor_name(cpuinfo: Path) -> str:
    """Return the processor by which numbers are rounded, as Linux names it in `cpuinfo`; else its architecture."""
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]} ({platform.machine()})" if names else platform.machine()
