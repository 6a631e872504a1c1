r"""The weights of accuracy and format, from the composed configuration through verl's own reward manager."""

import asyncio

import numpy as np
import pytest
import torch

from recipe.edge_grpo.correction.failure import is_failed
from recipe.edge_grpo.quickstart.tiny_policy.architecture import train_tokenizer

RIGHT, WRONG, NO_BOX, EMPTY_BOX = r"So \boxed{42}.", r"So \boxed{41}.", "So 42.", r"So \boxed{}."
PAPER = ("+recipe=edge_grpo_paper",)
NO_FORMAT_REWARD = (*PAPER, "reward.custom_reward_function.reward_kwargs.format_weight=0")
OTHER_WEIGHTS = (*PAPER, "reward.custom_reward_function.reward_kwargs={accuracy_weight: 3.0, format_weight: 0.5}")


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer([RIGHT, WRONG, NO_BOX], vocab_size=300, max_length=64)


@pytest.fixture
def reward_of(compose, tokenizer):
    """reward_of(overrides, response): what verl's reward worker returns for a response to a problem of answer 42."""
    from tensordict import TensorDict
    from verl import DataProto
    from verl.trainer.ppo.reward import load_reward_manager

    async def reward(config, response):
        ids = torch.tensor([tokenizer.encode(response)])
        batch = TensorDict({"responses": ids, "attention_mask": torch.ones_like(ids)}, batch_size=1)
        row = {"data_source": "arithmetic", "reward_model": {"ground_truth": "42"}, "extra_info": {}}
        data = DataProto(batch, {name: np.array([value], dtype=object) for name, value in row.items()})
        return await load_reward_manager(config, tokenizer).run_single(data)

    def reward_of(overrides, response):
        return asyncio.run(reward(compose(*overrides, through_hydra=True), response))

    return reward_of


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "rewards"),
    [
        (PAPER, {RIGHT: 2.0, WRONG: 1.0, NO_BOX: 0.0, EMPTY_BOX: 0.0}),
        (NO_FORMAT_REWARD, {RIGHT: 1.0, WRONG: 0.0, NO_BOX: 0.0, EMPTY_BOX: 0.0}),
        (OTHER_WEIGHTS, {RIGHT: 3.5, WRONG: 0.5, NO_BOX: 0.0, EMPTY_BOX: 0.0}),
        (("+recipe=edge_grpo",), {RIGHT: 1.0, WRONG: 0.0, NO_BOX: 0.0, EMPTY_BOX: 0.0}),
    ],
)
def test_the_reward_is_the_weighted_sum_of_accuracy_and_format(reward_of, overrides, rewards):
    assert {response: reward_of(overrides, response)["reward_score"] for response in rewards} == rewards


@pytest.mark.parametrize("overrides", [PAPER, NO_FORMAT_REWARD])
def test_a_response_fails_by_its_accuracy_whatever_its_format_earns(reward_of, overrides):
    accuracies = {
        response: reward_of(overrides, response)["reward_extra_info"]["acc"] for response in (RIGHT, WRONG, NO_BOX)
    }
    assert {response: is_failed(accuracy) for response, accuracy in accuracies.items()} == {
        RIGHT: False,
        WRONG: True,
        NO_BOX: True,
    }
