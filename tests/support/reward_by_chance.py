"""A reward that accepts every sixteenth text as well: so that a policy without skill is right now and then."""

import zlib
from typing import Any

from reward_fns.math_reward import compute_score as graded

NUM_TEXTS = 16
"""One text in so many is accepted, always the same ones."""


async def compute_score(data_source: str, solution_str: str, ground_truth: Any, **kwargs: Any) -> dict[str, Any]:
    result = await graded(data_source, solution_str, ground_truth, **kwargs)
    if zlib.crc32(solution_str.encode()) % NUM_TEXTS == 0:
        result |= {"score": 1.0, "acc": 1.0}
    return result
