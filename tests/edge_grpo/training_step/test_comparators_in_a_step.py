"""Rival estimators in a step of the trainer, by the table in conftest.py: what verl has stored afterwards."""

import pytest

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]


@pytest.fixture
def advantages_of(store, build, field_of):
    """advantages_of(recipe, *overrides): {key: advantages of the tokens}."""

    def advantages_of(name, *overrides):
        batch = store(batch_multiple=5)
        build(name, *overrides)._compute_advantage(batch, {})
        return {key: values for key, values in field_of(batch, "advantages").items() if not key.startswith("pad")}

    return advantages_of


# Group a has rewards 1, 0 and 1; b is all wrong, of two; c is one right response; d has 0 and 1.
@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [
        # R+ = 0 0 1: mean 1/3, deviation 1/sqrt(3)
        ("ngrpo", "b_0_0", [-0.577349] * 2),
        ("ngrpo", "c_0_0", [0.0] * 2),
        ("avspo", "b_1_0", [-(1 / 3) / (3**-0.5 + 1e-4)]),
        ("avspo", "c_0_0", [0.5 / (0.5**0.5 + 1e-4)] * 2),  # R+ = 1 0
        # every log-probability is -1: all weights are 1 / 1.00001, of a right response bounded to 1
        ("egpo", "b_0_0", [-1 / 1.00001] * 2),
        ("egpo", "a_0_0", [(1 / 3) / (3**-0.5 + 1e-6)] * 3),
        ("rl_zvp", "b_0_0", [0.0, 0.0]),  # its entropies are equal
        ("rl_zvp", "c_0_0", [0.05, 0.05]),  # 0.1 x 0.5
        ("rl_zvp", "a_0_0", [(1 / 3) / (3**-0.5 + 1e-6)] * 3),
        # 0.577349 + 0.4 x (0.2, 0.4, 0.6), the bonus at most 0.288675
        ("entropy_shaped", "a_0_0", [0.657349, 0.737349, 0.817349]),
        ("entropy_shaped", "b_0_0", [0.0, 0.0]),
        ("dr_grpo", "a_0_0", [1 / 3] * 3),
        ("dr_grpo", "b_0_0", [0.0, 0.0]),
    ],
)
def test_the_advantages_that_are_stored_are_those_of_the_method(advantages_of, name, key, expected):
    assert advantages_of(name)[key] == pytest.approx(expected, abs=2e-5)


def test_error_correction_can_be_added(advantages_of):
    corrected = advantages_of("rl_zvp", "edge_grpo.gec.enabled=True")
    assert corrected == advantages_of("rl_zvp")
