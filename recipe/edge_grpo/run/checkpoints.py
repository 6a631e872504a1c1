"""Whole checkpoints: each is sealed once verl has written it, and one that was cut off is not resumed from.

verl names the newest checkpoint in `latest_checkpointed_iteration.txt` after its last file is written, so that a run
killed while it saves resumes from the one before. What that does not tell is a file that lost its end afterwards: a
full disk that reports success, a machine that lost power, a copy that broke off. The seal lists every file with its
size.
"""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SEAL = "edge_grpo_seal.json"
TRACKER = "latest_checkpointed_iteration.txt"

_FOLDER = re.compile(r"global_step_(\d+)")


class NoWholeCheckpointError(Exception):
    """There are checkpoints and none is whole; the message names the folder, the fault and the choices."""


@contextmanager
def explain_unwritten(checkpoint: Path) -> Iterator[None]:
    """Say of an error inside which checkpoint could not be written, how much room its disk has, and what is left.

    torch's own error for a full disk does not mention the disk.
    """
    try:
        yield
    except Exception as error:
        folder = checkpoint.parent
        existing = next(place for place in (folder, *folder.parents) if place.exists())
        free = shutil.disk_usage(existing).free / 2**20
        earlier = [step for step, path in _checkpoints(folder).items() if path != checkpoint and (path / SEAL).exists()]
        left = f"resume from global_step_{max(earlier)}, which is whole" if earlier else "there is no earlier one"
        raise RuntimeError(
            f"EDGE-GRPO: the checkpoint {checkpoint} could not be written; its disk has {free:.0f} MiB left; {left}"
        ) from error


def seal(checkpoint: Path) -> None:
    """Note the size of every file of a checkpoint that has been written."""
    sizes = {str(path.relative_to(checkpoint)): path.stat().st_size for path in _files(checkpoint)}
    unfinished = checkpoint / f"{SEAL}.unfinished"
    unfinished.write_text(json.dumps(sizes, indent=0, sort_keys=True), encoding="utf-8")
    unfinished.replace(checkpoint / SEAL)


def find_fault(checkpoint: Path) -> str | None:
    """Return the first file of a sealed checkpoint that is missing or of another size; None if it is whole.

    A checkpoint without a seal was made without this package, or its run was killed between verl's last word and the
    seal: whole as far as can be told.
    """
    if not (checkpoint / SEAL).exists():
        return None
    try:
        sizes = json.loads((checkpoint / SEAL).read_text(encoding="utf-8"))
    except ValueError:
        return f"{SEAL} is cut off"
    for name, size in sizes.items():
        path = checkpoint / name
        found = path.stat().st_size if path.exists() else None
        if found != size:
            return f"{name} has {'vanished' if found is None else f'{found} bytes instead of {size}'}"
    return None


def checkpoint_to_resume(run_folder: Path) -> tuple[Path | None, list[str]]:
    """Return the newest whole checkpoint of a run, and what is wrong with the newer ones.

    The newest candidate is the one that verl's tracker names; older ones count if they have a seal.

    Returns:
        None where the run has no checkpoint.

    Raises:
        NoWholeCheckpointError: if it has some and none is whole.
    """
    named = _named_by_tracker(run_folder)
    if named is None:
        return None, []
    faults: list[str] = []
    for step, checkpoint in sorted(_checkpoints(run_folder).items(), reverse=True):
        if step > named or (step < named and not (checkpoint / SEAL).exists()):
            continue
        fault = find_fault(checkpoint)
        if fault is None:
            return checkpoint, faults
        faults.append(f"{checkpoint}: {fault}")
    found = "; ".join(faults) or f"global_step_{named} is missing"
    raise NoWholeCheckpointError(
        f"no whole checkpoint in {run_folder} ({found}); restore one, or "
        "begin again with trainer.resume_mode=disable or another trainer.default_local_dir"
    )


def _named_by_tracker(run_folder: Path) -> int | None:
    try:
        return int((run_folder / TRACKER).read_text())
    except FileNotFoundError:
        return None
    except ValueError:
        # The tracker itself was cut off: every sealed checkpoint is a candidate.
        return max(_checkpoints(run_folder), default=None)


def _checkpoints(run_folder: Path) -> dict[int, Path]:
    matches = ((_FOLDER.fullmatch(path.name), path) for path in run_folder.glob("*") if path.is_dir())
    return {int(match.group(1)): path for match, path in matches if match}


def _files(checkpoint: Path) -> list[Path]:
    return [path for path in sorted(checkpoint.rglob("*")) if path.is_file() and not path.name.startswith(SEAL)]
