"""The entropy of the responses of a batch: which tokens count, which rows have one, and what it is compared with."""

import dataclasses
import itertools

import pytest
import torch

from recipe.edge_grpo.settings.block import EntropyDrivenAdvantageSettings
from recipe.edge_grpo.training_step.batch import StoredBatch, batch_entropy, batch_order, counted_tokens

# Of one response: sampled, injected, injected and left out of the loss, a tool's, padding.
RESPONSE_MASK = torch.tensor([[1, 1, 0, 0, 0]])
IS_INJECTED = torch.tensor([[False, True, True, False, False]])


def stored_batch():
    """Two groups of two, and a padding row that verl made of one of the first group.

    row      entropies  injected   mean of the response    of the sampled tokens
    a0       1 3 8          x      (1 + 3 + 8) / 3 = 4     (1 + 3) / 2 = 2
    a1       6 6 .                 (6 + 6) / 2 = 6         6
    padding  9 9 9                 9                       9
    b0       4 7 1      x x        (4 + 7 + 1) / 3 = 4     1
    b1       2 2 2      x x x      2                       none
    """
    response_mask = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 1, 1], [1, 1, 1], [0, 0, 0]])
    is_injected = torch.tensor([[0, 0, 1], [0, 0, 0], [0, 0, 0], [1, 1, 0], [1, 1, 1]]).bool()
    return StoredBatch(
        keys=["a_0_0", "a_1_0", "padding", "b_0_0", "b_1_0"],
        is_padding=torch.tensor([False, False, True, False, False]),
        group_index=torch.tensor([0, 0, 0, 1, 1]),
        rewards=torch.zeros(5),
        token_entropy=torch.tensor([[1, 3, 8], [6, 6, 99], [9, 9, 9], [4, 7, 1], [2, 2, 2]]).float(),
        response_mask=response_mask,
        is_injected=is_injected,
        is_failed_prefix=torch.zeros_like(is_injected),
        extra_fields=[{}] * 5,
        records=[None] * 5,
        dataset_index=[0] * 5,
    )


def eda(**changed):
    defaults = {"enabled": True, "clip": None, "entropy": "exact", "tokens": "response", "mean": "group"}
    return EntropyDrivenAdvantageSettings(**defaults | changed)


def test_of_the_sampled_tokens_none_was_injected():
    counted = counted_tokens(RESPONSE_MASK, IS_INJECTED, eda(tokens="sampled").tokens)
    assert counted.dtype == torch.bool
    assert counted.tolist() == [[True, False, False, False, False]]


def test_tokens_of_the_response_are_the_sampled_and_the_injected_ones_but_not_those_of_a_tool():
    counted = counted_tokens(RESPONSE_MASK, IS_INJECTED, eda(tokens="response").tokens)
    assert counted.dtype == torch.bool
    assert counted.tolist() == [[True, True, True, False, False]]


def test_the_ratio_is_to_the_mean_of_the_group_without_padding():
    entropy = batch_entropy(stored_batch(), eda())
    assert entropy.response_entropy.tolist() == [4.0, 6.0, 9.0, 4.0, 2.0]
    assert entropy.has_entropy.tolist() == [True, True, False, True, True]
    # (4 + 6) / 2 = 5: 4/5, 6/5; padding 1; (4 + 2) / 2 = 3: 4/3, 2/3
    assert entropy.ratio.tolist() == pytest.approx([4 / 5, 6 / 5, 1, 4 / 3, 2 / 3])
    assert entropy.unbounded_ratio.tolist() == entropy.ratio.tolist()


def test_with_sampled_tokens_a_response_that_was_injected_as_a_whole_has_no_entropy():
    entropy = batch_entropy(stored_batch(), eda(tokens="sampled"))
    assert entropy.response_entropy.tolist() == [2.0, 6.0, 9.0, 1.0, 0.0]
    assert entropy.has_entropy.tolist() == [True, True, False, True, False]
    # (2 + 6) / 2 = 4: 2/4, 6/4; padding 1; the only one of its group: 1; without entropy: 1
    assert entropy.ratio.tolist() == [0.5, 1.5, 1.0, 1.0, 1.0]


def test_the_ratio_may_be_to_the_mean_of_the_batch():
    entropy = batch_entropy(stored_batch(), eda(tokens="sampled", mean="batch"))
    # (2 + 6 + 1) / 3 = 3: 2/3, 6/3, 1/3
    assert entropy.ratio.tolist() == pytest.approx([2 / 3, 2, 1, 1 / 3, 1])
    assert entropy.unbounded_ratio.tolist() == entropy.ratio.tolist()


def test_bounds_hold_for_the_ratio_that_is_used_and_the_unbounded_one_stays():
    entropy = batch_entropy(stored_batch(), eda(tokens="sampled", clip=(0.75, 1.25)))
    assert entropy.ratio.tolist() == [0.75, 1.25, 1.0, 1.0, 1.0]
    assert entropy.unbounded_ratio.tolist() == [0.5, 1.5, 1.0, 1.0, 1.0]


def test_without_the_entropy_driven_advantage_entropies_are_known_and_every_ratio_is_1():
    entropy = batch_entropy(stored_batch(), eda(enabled=False))
    assert entropy.response_entropy.tolist() == [4.0, 6.0, 9.0, 4.0, 2.0]
    assert entropy.has_entropy.tolist() == [True, True, False, True, True]
    assert entropy.ratio.tolist() == entropy.unbounded_ratio.tolist() == [1.0] * 5


def test_rows_are_in_the_order_of_prompt_and_session_however_they_came():
    keys = ["u_0_0", "u_10_0", "v_1_0", "v_0_0", "u_2_0", "w_0_0", "w_0_1"]
    dataset_index = [7, 7, 3, 3, 7, None, None]
    expected = ["v_0_0", "v_1_0", "u_0_0", "u_2_0", "u_10_0", "w_0_0", "w_0_1"]  # numbers first; 2 before 10
    for rows in itertools.islice(itertools.permutations(range(7)), 0, None, 97):
        arrived, indices = [keys[row] for row in rows], [dataset_index[row] for row in rows]
        assert [arrived[row] for row in batch_order(arrived, indices)] == expected


def test_prompts_of_one_index_keep_their_groups_apart():
    keys = ["u_0_0", "v_0_0", "u_1_0", "v_1_0"]
    assert batch_order(keys, [0, 0, 0, 0]) == [0, 2, 1, 3]
    assert batch_order(keys, ["b", "a", "b", "a"]) == [1, 3, 0, 2]


@pytest.mark.parametrize("tokens", ["response", "sampled"])
def test_the_entropy_of_a_response_does_not_depend_on_whether_its_failed_first_pass_is_trained(tokens):
    stored = stored_batch()
    trained = batch_entropy(stored, eda(tokens=tokens))
    # the first token of a0 and both of a1 had failed, and are out of the loss
    is_failed = torch.zeros_like(stored.is_injected)
    is_failed[0, 0] = is_failed[1, :2] = True
    masked = dataclasses.replace(stored, response_mask=stored.response_mask * ~is_failed, is_failed_prefix=is_failed)
    assert torch.equal(batch_entropy(masked, eda(tokens=tokens)).response_entropy, trained.response_entropy)
    assert torch.equal(batch_entropy(masked, eda(tokens=tokens)).ratio, trained.ratio)
