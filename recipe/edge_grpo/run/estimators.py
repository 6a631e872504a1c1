"""What error correction asks of verl's advantage estimators; tests/edge_grpo/run/test_estimators.py calls each.

The reward of a response stands at its last token. With `edge_grpo.gec.injected_loss=mask` that token is masked wherever
the response ends in injected text, and a response that was replaced is masked as a whole.
"""

from recipe.edge_grpo.names import ESTIMATOR
from recipe.edge_grpo.settings.comparators import CONSTANTS

SUMMING = (
    "grpo",
    ESTIMATOR,
    "grpo_vectorized",
    "grpo_passk",
    "rloo",
    "rloo_vectorized",
    "gpg",
    "reinforce_plus_plus_baseline",
    *CONSTANTS,
)
"""Sum the rewards of a response whether its tokens are masked or not."""

LOSING_MASKED_REWARDS = {
    "gae": "passes over the reward of a masked token",
    "reinforce_plus_plus": "passes over the reward of a masked token",
    "opo": "weights rewards by the number of tokens that are not masked, so a replaced response counts for nothing",
}
"""Not to be used with masked rewards, and why."""

NOT_IN_V1 = {
    "remax": "the reward of a greedy response",
    "gdpo": "the parts of the reward",
    "optimal_token_baseline": "the sum of squared probabilities",
    "tir_optimal_token_baseline": "the sum of squared probabilities",
}
"""What verl's V1 trainer does not hand to these; they end in verl's inside after the first rollout."""


def refuse_estimator(estimator: str, masks_injected: bool) -> None:
    """Refuse an estimator that verl's V1 trainer cannot serve, or that would lose rewards of masked tokens.

    An estimator that is not verl's is refused only where rewards are masked: nothing is known of it.

    Raises:
        ValueError: naming the key, its value and the fix.

    >>> refuse_estimator("rloo", masks_injected=True)
    >>> refuse_estimator("gae", masks_injected=False)
    """
    if estimator in NOT_IN_V1:
        raise ValueError(
            f"algorithm.adv_estimator={estimator}: it needs {NOT_IN_V1[estimator]}, which verl's V1 trainer does not "
            f"hand over; use one of {', '.join(SUMMING)}"
        )
    if masks_injected and estimator not in SUMMING:
        reason = LOSING_MASKED_REWARDS.get(estimator, "is not known to sum the rewards of masked tokens")
        raise ValueError(
            f"edge_grpo.gec.injected_loss=mask with algorithm.adv_estimator={estimator}, which {reason}: the reward of "
            "a corrected response would be lost; set edge_grpo.gec.injected_loss=train, or "
            f"algorithm.adv_estimator to one of {', '.join(SUMMING)}"
        )
