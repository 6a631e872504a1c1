"""Folders of runs, as a report reads them."""

import json

PLAIN = {"input": "What is 1+1?", "output": "2", "gts": "2", "score": 1.0, "uid": "a_0_0"}
"""One response of a dump, as verl alone would write it."""


def write_run_folder(folder, num_steps=3, rollouts=None, **metrics):
    """Write a run that logged `metrics` (`__` for `/`) at each step; `rollouts` is {step: responses}."""
    folder.mkdir(parents=True)
    named = {name.replace("__", "/"): value for name, value in metrics.items()} or {
        "edge_grpo/accuracy/first_pass": 0.5,
        "timing_s/gen": 2.0,
    }
    lines = [json.dumps({"step": step, "data": named}) for step in range(1, num_steps + 1)]
    (folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    for step, responses in (rollouts or {}).items():
        (folder / "rollouts").mkdir(exist_ok=True)
        (folder / "rollouts" / f"{step}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in responses))
    return folder


def corrected(uid, first_score, score, strategy=None, **others):
    """One response of a dump, with the columns of error correction."""
    return {
        **PLAIN,
        **{"uid": uid, "score": score, "accuracy": score, "first_pass_score": first_score},
        **{"first_pass_accuracy": first_score, "strategy": strategy, "entropy": 0.25, "entropy_ratio": 0.5},
        **({"first_pass_text": "3", "output": "3 no: 2"} if strategy else {}),
        **others,
    }
