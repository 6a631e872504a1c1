"""Exact policy entropy against its definition, written out."""

import math

import pytest
import torch
from transformers import AutoModelForCausalLM

from recipe.edge_grpo.evaluate import policy_entropy
from recipe.edge_grpo.evaluate.policy_entropy import EntropyMeter

PROMPT_IDS, RESPONSE_IDS = [5, 6, 7], [8, 9, 10, 11]


@pytest.fixture(scope="module")
def meter(untrained_model):
    return EntropyMeter(str(untrained_model))


def by_definition(model_folder, temperature):
    """-sum p ln p at every token of the response, token by token and without a batch."""
    model = AutoModelForCausalLM.from_pretrained(model_folder)
    entropies = []
    for position in range(len(RESPONSE_IDS)):
        input_ids = torch.tensor([PROMPT_IDS + RESPONSE_IDS[:position]])
        logits = model(input_ids=input_ids).logits[0, -1].tolist()
        weights = [math.exp(logit / temperature) for logit in logits]
        probabilities = [weight / sum(weights) for weight in weights]
        entropies.append(-sum(p * math.log(p) for p in probabilities))
    return sum(entropies) / len(entropies)


@pytest.mark.parametrize("temperature", [0.6, 1.0, 1.2])
def test_it_is_the_mean_over_the_response_of_the_full_entropy_at_the_temperature(meter, untrained_model, temperature):
    measured = meter.mean_entropy(PROMPT_IDS, RESPONSE_IDS, temperature)
    assert measured == pytest.approx(by_definition(untrained_model, temperature), abs=1e-5)


def test_a_low_temperature_leaves_little_and_a_high_one_almost_all(meter):
    vocabulary = 375
    assert meter.mean_entropy(PROMPT_IDS, RESPONSE_IDS, 1e-4) == pytest.approx(0, abs=1e-3)
    assert meter.mean_entropy(PROMPT_IDS, RESPONSE_IDS, 1e4) == pytest.approx(math.log(vocabulary), abs=1e-3)


def test_a_long_response_is_measured_in_parts_with_the_same_result(meter, monkeypatch):
    whole = meter.mean_entropy(PROMPT_IDS, RESPONSE_IDS, 1.0)
    monkeypatch.setattr(policy_entropy, "_POSITIONS_AT_ONCE", 3)
    assert meter.mean_entropy(PROMPT_IDS, RESPONSE_IDS, 1.0) == pytest.approx(whole, abs=1e-12)
