"""Preparing many problems without grading them: CPU time, and peak memory of the process that does it."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

_WORDS = "A chain of sums that goes on for as long as the solution of a problem of the paper does. "


def prepare(num_rows: int) -> tuple[float, float]:
    """Return CPU seconds and MiB of `data_prep.prepare --no-verification` on JSON Lines of 1.8 kB a row."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "problems.jsonl")
        with source.open("w") as file:
            for number in range(num_rows):
                record = {"problem": f"What is {number} + 1? {_WORDS * 3}", "answer": str(number + 1)}
                record["solution"] = f"{_WORDS * 15} It is \\boxed{{{number + 1}}}."
                file.write(json.dumps(record) + "\n")
        command = [sys.executable, "-m", "data_prep.prepare", "--input", str(source), "--no-verification"]
        process = subprocess.Popen([*command, "--output-dir", folder], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)  # of this child alone
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


if __name__ == "__main__":
    print("{:.1f} CPU s, {:.0f} MiB at most".format(*prepare(int(sys.argv[1]))))
