"""tests/bench/laboratory_band.py: which validations of verl are within the band of the laboratory."""

import json
import math
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "bench"))  # Scripts, not a package.
from laboratory_band import band, main


def write_run(folder: Path, accuracies: dict[int, float]) -> None:
    folder.mkdir(parents=True)
    entries = [{"step": step, "data": {"val-core/carry/acc/mean@1": value}} for step, value in accuracies.items()]
    entries.insert(1, {"step": 1, "data": {"actor/grad_norm": 1.0}})
    (folder / "metrics.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))


def test_the_band_is_that_of_one_run_more():
    # mean 0.55, s = sqrt((0.05^2 + 0.05^2) / 1) = 0.0707; t = 12.706, times sqrt(1.5) = 1.2247: half = 1.1005
    assert band([0.5, 0.6]) == (0.0, 1.0)
    # four values: mean 0.5, s = sqrt(4 * 0.01^2 / 3) = 0.011547; 3.182 * 0.011547 * sqrt(1.25) = 0.04108
    low, high = band([0.49, 0.51, 0.49, 0.51])
    assert (low, high) == pytest.approx((0.5 - 0.04108, 0.5 + 0.04108), abs=1e-5)
    assert math.isclose(low + high, 1.0)


@pytest.mark.parametrize(("of_verl", "exit_code"), [(0.53, 0), (0.55, 1), (0.45, 1)])
def test_a_validation_outside_of_the_band_is_marked_and_fails(tmp_path, capsys, of_verl, exit_code):
    write_run(tmp_path / "verl" / "grpo", {0: 0.31, 10: of_verl, 15: 0.9})
    for seed, value in enumerate((0.49, 0.51, 0.49, 0.51)):
        write_run(tmp_path / "laboratory" / f"grpo-seed-{seed}", {0: 0.3, 10: value, 20: 0.9})
    arguments = ["--verl", str(tmp_path / "verl"), "--laboratory", str(tmp_path / "laboratory"), "--recipe", "grpo"]
    assert main(arguments) == exit_code
    # the beginning, before training, is no matter of seeds; the other steps are those of one of them only
    (row,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| grpo")]
    mark = " (outside)" if exit_code else ""
    assert row == f"| grpo | 10 | {of_verl:.3f}{mark} | 0.459 | 0.541 | 4 |"


def test_without_two_seeds_there_is_no_band(tmp_path):
    write_run(tmp_path / "verl" / "grpo", {10: 0.5})
    write_run(tmp_path / "laboratory" / "grpo-seed-0", {10: 0.5})
    with pytest.raises(SystemExit, match="grpo: a run of verl with validations and two seeds"):
        main(["--verl", str(tmp_path / "verl"), "--laboratory", str(tmp_path / "laboratory"), "--recipe", "grpo"])
