"""Members of a prompt group, as the tests of the contrast guard put groups together."""

from recipe.edge_grpo.correction.contrast_guard import GroupMember
from recipe.edge_grpo.settings.choices import Strategy

R, A, S = Strategy.REFLECTION, Strategy.ANSWER, Strategy.SOLUTION
PAPER = {R: 0.5, A: 0.25, S: 0.25}
RIGHT = GroupMember(is_failed=False, is_correctable=False, strategy=R)
STUCK = GroupMember(is_failed=True, is_correctable=False, strategy=A)  # failed, and beyond the prompt gate, say


def failed(strategy: Strategy = R) -> GroupMember:
    return GroupMember(is_failed=True, is_correctable=True, strategy=strategy)
