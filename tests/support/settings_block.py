"""A good `edge_grpo:` block in which no value is the default, and the same with one value replaced."""

import copy

GOOD = {
    "seed": 7,
    "seeds_responses": False,
    "replay_poll_seconds": 0.5,
    "reliability": True,
    "stall_seconds": 900,
    "max_lost_fraction": 0.25,
    "comparator": None,
    "eda": {"enabled": True, "clip": [0.5, 2], "entropy": "sampled", "tokens": "sampled", "mean": "batch"},
    "gec": {
        "enabled": True,
        "scope": "group",
        "corrects_mixed_groups": False,
        "solution_in_every_group": False,
        "schedule": "fixed",
        "probabilities": {"reflection": 0.5, "answer": 0.25, "solution": 0.25, "hint": 0.0},
        "failed": "accuracy_or_format",
        "corrects_truncated": False,
        "reflection_texts": [" Wait!", " Look again."],
        "reflection_rounds": 2,
        "answer_text": "It is {answer}.",
        "max_new_tokens": 256,
        "token_budget": 300,
        "time_limit_seconds": 60.5,
        "first_pass_max_tokens": None,
        "max_prompt_tokens": 255,
        "long_solution": "cut",
        "hint_shares": [0.5, 1],
        "hint_text": "Hint: {hint}",
        "hint_prompt": "plain",
        "injected_loss": "weight",
        "injected_weight": 0.5,
        "failed_prefix_loss": {"answer": "mask", "reflection": "weight"},
        "failed_prefix_weight": 0.25,
        "accuracy_key": "acc",
        "format_key": "format",
    },
}


def changed(path, value):
    """A good block with one value replaced; `path` is written as the user writes it, without the leading edge_grpo."""
    block = copy.deepcopy(GOOD)
    *parents, name = path.split(".")
    place = block
    for parent in parents:
        place = place[parent]
    place[name] = value
    return block
