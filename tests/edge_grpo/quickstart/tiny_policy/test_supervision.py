"""The loss that the tiny policy is supervised with."""

import random

import torch
from transformers import AutoModelForCausalLM

from data_prep.arithmetic_problems import draw_problem
from recipe.edge_grpo.quickstart.tiny_policy.examples import IGNORED_LABEL, ExamplePlan, encode_example, pad_right
from recipe.edge_grpo.quickstart.tiny_policy.supervision import _response_loss


def test_the_loss_is_that_of_the_labelled_positions_whatever_the_padding(model_dir, tokenizer):
    model = AutoModelForCausalLM.from_pretrained(model_dir)
    plan = ExamplePlan({}, slip_share=0, self_correction_share=0)
    rng = random.Random(0)
    examples = [encode_example(rng, tokenizer, draw_problem(rng, name), plan) for name in ("easy", "hard")]
    losses, counts = [], []
    for token_ids, labels in examples:  # transformers' own loss, one example at a time, without padding.
        losses.append(model(input_ids=torch.tensor([token_ids]), labels=torch.tensor([labels])).loss)
        counts.append(sum(label != IGNORED_LABEL for label in labels))
    expected = sum(loss * count for loss, count in zip(losses, counts, strict=True)) / sum(counts)
    batch = pad_right(examples, tokenizer.pad_token_id)
    torch.testing.assert_close(_response_loss(model, *batch), expected)
