"""Supervised fine-tuning on the reference solutions, the control of a study: what do they teach by themselves?"""

from collections.abc import Sequence

from torch import Tensor

from recipe.edge_grpo.laboratory.policy import Policy
from recipe.edge_grpo.laboratory.rollout import Row

SUPERVISED = "sft"
"""What the laboratory takes in the place of a recipe."""


def supervised_loss(policy: Policy, rows: Sequence[Row]) -> Tensor:
    """Return the mean negative log-probability of the tokens of the reference solutions, end of sequence included.

    Raises ValueError, naming the row's index, for a row without a solution.
    """
    targets = [_encode_solution(policy, row) for row in rows]
    log_probs, _ = policy.token_statistics([policy.encode_prompt(row["prompt"]) for row in rows], targets)
    of_rows = [log_probs[number, : len(target)].sum() for number, target in enumerate(targets)]
    return -sum(of_rows[1:], of_rows[0]) / sum(map(len, targets))


def _encode_solution(policy: Policy, row: Row) -> list[int]:
    solution = row["extra_info"].get("solution")
    if not solution:
        raise ValueError(f"row {row['extra_info'].get('index')} has no extra_info.solution to learn from")
    return [*policy.tokenizer.encode(solution, add_special_tokens=False), policy.tokenizer.eos_token_id]
