"""A reward of which so many first passes fail as the row says (`extra_info.failure_share`), always the same ones.

Below 0 the answer decides, as in any run. It is graded in either case, so that grading costs the same.
"""

import zlib
from typing import Any

from reward_fns.math_reward import compute_score as graded


async def compute_score(
    data_source: str, solution_str: str, ground_truth: Any, extra_info: Any = None, **kwargs: Any
) -> dict[str, Any]:
    result = await graded(data_source, solution_str, ground_truth, extra_info, **kwargs)
    share = float((extra_info or {}).get("failure_share", -1.0))
    if share < 0:
        return result
    chance = zlib.crc32(f"{ground_truth} {solution_str}".encode()) / 2**32
    accuracy = float(chance >= share)
    return {**result, "score": accuracy, "acc": accuracy}
