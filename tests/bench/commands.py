"""What commands cost: `import verl` with the plugin over without it, and data preparation as rows grow."""

import os
import subprocess
import sys
from pathlib import Path

from measures import Row, Skipped, least_squares_slope, ratios
from preparation import prepare

# CPU time: other work on the machine lengthens wall time only.
TIME_IMPORT = "import time; begin = time.process_time(); import verl; print(time.process_time() - begin)"
QUICK_NUM_ROWS, FULL_NUM_ROWS = (1_000, 20_000), (1_000, 20_000, 100_000, 400_000)
PART = "Commands"


def measure(folder: Path, is_quick: bool) -> list[Row | Skipped]:
    """Run the commands; returns the rows."""
    return [import_row(3 if is_quick else 9), *preparation_rows(QUICK_NUM_ROWS if is_quick else FULL_NUM_ROWS)]


def import_row(num_pairs: int) -> Row:
    """`import verl` in fresh processes, alternating."""
    import_seconds("none")  # fills the disk cache for both
    pairs = [(import_seconds("auto"), import_seconds("none")) for _ in range(num_pairs)]
    return Row(PART, "CPU time of `import verl`, with the plugin / without", ratios(pairs))


def import_seconds(plugins: str) -> float:
    environment = {**os.environ, "VERL_USE_EXTERNAL_PLUGINS": plugins}
    environment.pop("VERL_PLATFORM", None)
    command = [sys.executable, "-W", "ignore", "-c", TIME_IMPORT]
    return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


def preparation_rows(sizes: tuple[int, ...]) -> list[Row]:
    """Seconds and memory of data preparation; the ratio says whether a row costs more where there are many."""
    measured = [(num_rows, *prepare(num_rows)) for num_rows in sizes]
    (first, first_seconds, first_mib), (last, last_seconds, last_mib) = measured[0], measured[-1]
    slopes = [least_squares_slope([(rows, seconds) for rows, seconds, _ in some]) for some in (measured, measured[-2:])]
    detail = f"{last:,} rows: {last_seconds:.1f} CPU s, {last_mib:.0f} MiB"
    what = f"data preparation, CPU time of a row more near {last:,} rows / from {first:,} on"
    rows = [Row(PART, what, [slopes[1] / slopes[0]], detail=detail)] if len(sizes) > 2 else []
    what = f"data preparation, memory of {last:,} rows / {first:,}"
    return [*rows, Row(PART, what, [last_mib / first_mib], detail=f"{first_seconds:.1f} and {last_seconds:.1f} CPU s")]
