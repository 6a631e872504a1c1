"""Preparing many problems without grading them: time, and peak memory of the process that does it."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_WORDS = "A chain of sums that goes on for as long as the solution of a problem of the paper does. "


def bench_preparation(num_rows: int) -> None:
    """Print what `data_prep.prepare --no-verification` takes for rows of JSON Lines of 1.8 kB each."""
    if num_rows == 0:
        return
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "problems.jsonl")
        with source.open("w") as file:
            for number in range(num_rows):
                record = {"problem": f"What is {number} + 1? {_WORDS * 3}", "answer": str(number + 1)}
                record["solution"] = f"{_WORDS * 15} It is \\boxed{{{number + 1}}}."
                file.write(json.dumps(record) + "\n")
        command = [sys.executable, "-m", "data_prep.prepare", "--input", str(source), "--no-verification"]
        begin = time.perf_counter()
        subprocess.run([*command, "--output-dir", folder], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - begin
    # Of the largest child so far; run it alone for a small number of rows.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"data preparation: {num_rows:,} rows without grading in {seconds:.1f} s, {peak:.0f} MiB at most")


if __name__ == "__main__":
    bench_preparation(int(sys.argv[1]))
