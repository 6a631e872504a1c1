"""What the quickstart says a run has learned: validations, and the interval of a share of so many problems."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe.edge_grpo.quickstart.learning import progress_of, wilson_interval


def test_the_interval_is_wilsons():
    # p = 0.5, n = 256, z^2 = 3.8415: the middle stays 0.5, and the half width is
    # 1.96 sqrt(0.25/256 + 3.8415/(4 * 65536)) / (1 + 3.8415/256) = 1.96 * 0.031484 / 1.015006 = 0.060794
    assert wilson_interval(0.5, 256) == pytest.approx((0.5 - 0.060794, 0.5 + 0.060794), abs=2e-6)
    # p = 0, n = 10: (z^2/20 + z * z/20) / (1 + z^2/10) = 0.384146 / 1.384146 = 0.277533
    assert wilson_interval(0.0, 10) == pytest.approx((0.0, 0.277533), abs=1e-6)


@given(num_right=st.integers(0, 300), num_wrong=st.integers(0, 300))
def test_the_interval_holds_the_share_lies_within_0_and_1_and_mirrors(num_right, num_wrong):
    num_problems = num_right + num_wrong or 1
    share = num_right / num_problems
    low, high = wilson_interval(share, num_problems)
    assert 0 <= low <= share + 1e-12 and share - 1e-12 <= high <= 1
    assert low < high
    assert wilson_interval(1 - share, num_problems) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("share", "num_problems"), [(-0.1, 10), (1.1, 10), (0.5, 0), (float("nan"), 10)])
def test_what_is_no_share_of_problems_is_refused(share, num_problems):
    with pytest.raises(ValueError, match=f"got {share} of {num_problems}"):
        wilson_interval(share, num_problems)


def test_the_first_and_the_last_validation_of_a_run_are_told(tmp_path):
    run_folder = tmp_path / "edge_grpo"
    run_folder.mkdir()
    steps = [
        (0, {"val-core/carry/acc/mean@1": 0.5, "val-aux/carry/score/mean@1": 0.1}),
        (1, {"actor/grad_norm": 1.0}),
        (10, {"val-core/carry/acc/mean@1": 0.625}),
        (20, {"actor/grad_norm": 1.0, "val-core/carry/acc/mean@1": 0.75}),
    ]
    lines = [json.dumps({"step": step, "data": data}) for step, data in steps]
    (run_folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    assert progress_of(run_folder, 256) == (
        "  edge_grpo: 0.500 [0.439, 0.561] after 0 steps -> 0.750 [0.694, 0.799] after 20 steps"
    )


def test_a_run_without_a_validation_says_so(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "data": {"actor/grad_norm": 1.0}}\n')
    assert progress_of(tmp_path, 256) == f"  {tmp_path.name}: no validation"
