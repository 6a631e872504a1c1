"""The examples that the tiny policy is supervised on."""

import random

import pytest

from data_prep.arithmetic_problems import Problem, Step, draw_problem
from recipe.edge_grpo.quickstart.tiny_policy import examples as tiny_examples
from recipe.edge_grpo.quickstart.tiny_policy.examples import (
    IGNORED_LABEL,
    ExamplePlan,
    draw_unseen_problem,
    encode_example,
)

PROBLEM = Problem("What is 1+1?", (Step(1, "+", 1),), "easy")


def learned_text(tokenizer, labels):
    return tokenizer.decode([label for label in labels if label != IGNORED_LABEL])


@pytest.mark.parametrize(
    ("slip_share", "self_correction_share", "text", "learned"),
    [
        (0, 0, "1+1=2\n\\boxed{2}<|im_end|>", "1+1=2\n\\boxed{2}<|im_end|>"),
        (1, 0, "1+1=3\n\\boxed{3}<|im_end|>", "1+1=3\n\\boxed{3}<|im_end|>"),
        (
            0,
            1,
            "1+1=3\n\\boxed{3} Wait! Something is wrong here.\n1+1=2\n\\boxed{2}<|im_end|>",
            "\n1+1=2\n\\boxed{2}<|im_end|>",
        ),
    ],
    ids=["solution", "slip", "self-correction"],
)
def test_examples_teach_the_response_but_neither_prompt_nor_attempt_to_be_corrected(
    tokenizer, monkeypatch, slip_share, self_correction_share, text, learned
):
    monkeypatch.setattr(tiny_examples, "solution_with_slip", lambda rng, problem: "1+1=3\n\\boxed{3}")
    plan = ExamplePlan({}, slip_share=slip_share, self_correction_share=self_correction_share)
    token_ids, labels = encode_example(random.Random(0), tokenizer, PROBLEM, plan)
    prompt = "<|im_start|>user\nWhat is 1+1?<|im_end|>\n<|im_start|>assistant\n"
    assert tokenizer.decode(token_ids) == prompt + text
    assert learned_text(tokenizer, labels) == learned
    assert all(label in (token_id, IGNORED_LABEL) for token_id, label in zip(token_ids, labels, strict=True))


def test_problems_of_the_dataset_are_not_supervised():
    rng = random.Random(0)
    seen = {draw_problem(rng, "easy").text for _ in range(300)}
    drawn = {draw_unseen_problem(rng, {"easy": 1.0}, seen).text for _ in range(100)}
    assert not drawn & seen
