"""What holds for every batch: groups of 1 to 9 in any order, rewards and entropies equal, tiny, zero or missing."""

import dataclasses
import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from recipe.edge_grpo.advantage import entropy_driven_advantage, entropy_ratio, group_relative_advantage

# Sums of these have no rounding error, so that verl's single precision finds equal rewards equal, as ours does.
REWARDS = st.sampled_from([0.0, 0.5, 1.0])
# 2**-149 is the smallest float32 above 0.
ENTROPIES = st.sampled_from([0.0, 2.0**-149, 1e-30, 1e-8]) | st.floats(0.0, 12.0, width=32)
BOUNDS = st.tuples(st.floats(0.01, 1.0), st.floats(1.0, 20.0))
CLIPS = st.none() | BOUNDS


@dataclasses.dataclass
class Batch:
    """Rows (B,); what stands in `entropy` where `has_entropy` is False means nothing."""

    group_index: torch.Tensor
    rewards: torch.Tensor
    entropy: torch.Tensor
    has_entropy: torch.Tensor

    def rows(self, selection):
        return Batch(*(getattr(self, field.name)[selection] for field in dataclasses.fields(self)))

    def ratio(self, clip=None):
        return entropy_ratio(self.entropy, self.group_index, clip, self.has_entropy)

    def raw_advantages(self):
        return group_relative_advantage(self.rewards, self.group_index)


def values_of_group(draw, size, values):
    """As many values, all equal in about half of the groups."""
    return [draw(values)] * size if draw(st.booleans()) else [draw(values) for _ in range(size)]


@st.composite
def batches(draw, has_equal_entropies=False):
    rows = []
    for group, size in enumerate(draw(st.lists(st.integers(1, 9), min_size=1, max_size=5))):
        entropies = [draw(ENTROPIES)] * size if has_equal_entropies else values_of_group(draw, size, ENTROPIES)
        has_entropy = values_of_group(draw, size, st.booleans())
        fillers = [draw(st.sampled_from([math.nan, math.inf, -7.0, 5.0])) for _ in range(size)]
        shown = [
            entropy if has else filler for entropy, has, filler in zip(entropies, has_entropy, fillers, strict=True)
        ]
        rows += zip([group] * size, values_of_group(draw, size, REWARDS), shown, has_entropy, strict=True)
    columns = zip(*draw(st.permutations(rows)), strict=True)
    return Batch(*(torch.tensor(column) for column in columns))


def grpo_advantages_of_verl(batch):
    from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

    advantages, _ = compute_grpo_outcome_advantage(
        batch.rewards.unsqueeze(-1).clone(), torch.ones(len(batch.rewards), 1), batch.group_index.numpy().astype(object)
    )
    return advantages.squeeze(-1)


@given(batches(), CLIPS)
def test_scaling_keeps_the_sign_of_every_advantage_and_0_stays_0(batch, clip):
    raw_advantages = batch.raw_advantages()
    scaled = entropy_driven_advantage(raw_advantages, batch.ratio(clip))
    assert torch.equal(scaled.sign(), raw_advantages.sign())
    assert scaled.isfinite().all()


@given(batches(has_equal_entropies=True), CLIPS)
def test_equal_entropies_leave_exactly_the_group_relative_advantage_which_is_verls(batch, clip):
    scaled = entropy_driven_advantage(batch.raw_advantages(), batch.ratio(clip))
    assert torch.equal(scaled, batch.raw_advantages())
    torch.testing.assert_close(scaled, grpo_advantages_of_verl(batch), rtol=0, atol=1e-6)


@given(batches())
def test_where_no_row_has_an_entropy_the_advantage_is_verls(batch):
    batch = dataclasses.replace(batch, has_entropy=torch.zeros_like(batch.has_entropy))
    scaled = entropy_driven_advantage(batch.raw_advantages(), batch.ratio())
    torch.testing.assert_close(scaled, grpo_advantages_of_verl(batch), rtol=0, atol=1e-6)


@given(batches(), CLIPS, st.randoms(use_true_random=False))
def test_another_order_of_the_rows_only_reorders_the_results(batch, clip, random):
    order = random.sample(range(len(batch.rewards)), len(batch.rewards))
    reordered = batch.rows(order)
    torch.testing.assert_close(reordered.ratio(clip), batch.ratio(clip)[order])
    torch.testing.assert_close(reordered.raw_advantages(), batch.raw_advantages()[order])


@given(batches(), CLIPS)
def test_a_row_without_entropy_has_ratio_1_and_changes_nothing_for_the_others(batch, clip):
    ratio, has_entropy = batch.ratio(clip), batch.has_entropy
    assert (ratio[~has_entropy] == 1).all()
    others = batch.rows(has_entropy)
    assert torch.equal(ratio[has_entropy], entropy_ratio(others.entropy, others.group_index, clip))


@given(batches(), st.integers(1, 5), CLIPS)
def test_padding_rows_with_a_group_of_their_own_change_nothing_for_the_others(batch, num_padding_rows, clip):
    padding = Batch(
        group_index=torch.full((num_padding_rows,), int(batch.group_index.max()) + 1),
        rewards=torch.zeros(num_padding_rows),
        entropy=torch.full((num_padding_rows,), math.nan),
        has_entropy=torch.zeros(num_padding_rows, dtype=torch.bool),
    )
    padded = Batch(
        *(torch.cat([getattr(batch, field.name), getattr(padding, field.name)]) for field in dataclasses.fields(Batch))
    )
    num_rows = len(batch.rewards)
    assert torch.equal(padded.ratio(clip)[:num_rows], batch.ratio(clip))
    assert torch.equal(padded.raw_advantages()[:num_rows], batch.raw_advantages())


@given(batches())
def test_the_unbounded_ratios_of_each_group_average_to_1(batch):
    ratio = batch.ratio()
    for group in batch.group_index.unique():
        torch.testing.assert_close(ratio[batch.group_index == group].mean(), torch.tensor(1.0))


@given(batches(), CLIPS, st.floats(1e-3, 1e3))
def test_entropies_in_another_unit_give_the_same_ratios(batch, clip, factor):
    # In double precision: float32 has too few digits left for a multiple of its smallest numbers.
    in_nats = dataclasses.replace(batch, entropy=batch.entropy.double())
    in_another_unit = dataclasses.replace(batch, entropy=batch.entropy.double() * factor)
    torch.testing.assert_close(in_another_unit.ratio(clip), in_nats.ratio(clip), rtol=1e-12, atol=0)


@given(batches(), BOUNDS)
def test_bounds_hold_and_move_only_the_ratios_beyond_them(batch, clip):
    low, high = torch.tensor(clip)
    ratio, unbounded_ratio = batch.ratio(clip), batch.ratio()
    assert ((low <= ratio) & (ratio <= high)).all()
    is_within = (low <= unbounded_ratio) & (unbounded_ratio <= high)
    assert torch.equal(ratio[is_within], unbounded_ratio[is_within])
    assert ((ratio == low) | (ratio == high))[~is_within].all()
