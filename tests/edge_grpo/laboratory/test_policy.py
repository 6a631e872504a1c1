"""The policy in this process: what it samples, and log-probability and entropy of tokens by a slow version."""

import asyncio

import pytest
import torch

from recipe.edge_grpo.laboratory.policy import BatchingClient, Policy


def test_log_probabilities_and_entropies_are_those_of_each_response_alone(policy):
    prompts = [[5, 6, 7], [8], [9, 10]]
    responses = [[11, 12], [13, 14, 15, 16], [17]]
    log_probs, entropy = policy.token_statistics(prompts, responses)
    assert log_probs.requires_grad and not entropy.requires_grad
    assert log_probs.shape == entropy.shape == (3, 4)
    for row, (prompt, response) in enumerate(zip(prompts, responses, strict=True)):
        logits = policy.model(torch.tensor([prompt + response])).logits[0, len(prompt) - 1 : -1]
        expected = logits.log_softmax(dim=-1)
        for place, token in enumerate(response):
            assert log_probs[row, place].item() == pytest.approx(expected[place, token].item(), abs=1e-4)
            slow = -(expected[place].exp() * expected[place]).sum().item()
            assert entropy[row, place].item() == pytest.approx(slow, abs=1e-4)


def test_the_temperature_is_that_of_the_samples(policy):
    warm = Policy(policy.model, policy.tokenizer, temperature=2.0)
    assert warm.token_statistics([[5]], [[6, 7]])[1].mean() > policy.token_statistics([[5]], [[6, 7]])[1].mean()


def test_each_response_is_as_long_as_it_may_be_or_ends_with_eos(policy):
    torch.manual_seed(0)
    responses = policy.sample([[5, 6], [7]] * 40, [3, 9] * 40)
    eos = policy.tokenizer.eos_token_id
    for response, limit in zip(responses, [3, 9] * 40, strict=True):
        assert 1 <= len(response) <= limit
        assert eos not in response[:-1]
        assert response[-1] == eos or len(response) == limit


def test_greedy_responses_do_not_depend_on_random_numbers_and_sampled_ones_do(policy):
    prompts, limits = [[5, 6, 7]] * 4, [8] * 4
    assert policy.sample(prompts, limits, is_greedy=True) == policy.sample(prompts, limits, is_greedy=True)
    sampled = policy.sample(prompts, limits)
    assert len({tuple(response) for response in sampled}) > 1


def test_what_is_asked_for_at_a_time_is_sampled_together_and_each_gets_its_own(policy, monkeypatch):
    calls = []

    def sample(prompts, max_tokens):
        calls.append(list(zip(prompts, max_tokens, strict=True)))
        return [[*prompt, limit] for prompt, limit in zip(prompts, max_tokens, strict=True)]

    monkeypatch.setattr(policy, "sample", sample)
    client = BatchingClient(policy)

    async def ask(number):
        answer = await client.generate("r", prompt_ids=[number], sampling_params={"max_tokens": 10 + number})
        return answer.token_ids

    async def ask_all():
        return await asyncio.gather(*(ask(number) for number in range(5)))

    assert asyncio.run(ask_all()) == [[number, 10 + number] for number in range(5)]
    assert len(calls) == 1


def test_an_error_while_sampling_reaches_everybody_who_asked(policy, monkeypatch):
    def fail(*_):
        raise RuntimeError("no memory")

    monkeypatch.setattr(policy, "sample", fail)
    client = BatchingClient(policy)

    async def ask():
        await client.generate("r", prompt_ids=[1], sampling_params={"max_tokens": 1})

    async def ask_all():
        return await asyncio.gather(ask(), ask(), return_exceptions=True)

    assert [str(error) for error in asyncio.run(ask_all())] == ["no memory"] * 2
