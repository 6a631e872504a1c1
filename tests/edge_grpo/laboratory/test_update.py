"""One update in the laboratory: advantages, loss and gradient, against slow versions."""

import pytest
import torch

from recipe.edge_grpo.laboratory.rollout import Sizes, sample_groups
from recipe.edge_grpo.laboratory.update import aggregate, make_update, token_losses
from recipe.edge_grpo.settings.choices import Strategy

pytestmark = pytest.mark.process

SIZES = Sizes(num_prompts=3, group_size=4, max_response_length=128)
RIVALS_HERE = ["dr_grpo", "ngrpo", "avspo", "egpo", "rl_zvp", "entropy_shaped", "luffy"]
RECIPES_HERE = ["grpo", "edge_grpo", "edge_grpo_plus", *RIVALS_HERE]


@pytest.fixture
def update_of(policy, rows, config):
    """update_of(recipe, *overrides): the update of a step, and the groups that it is made of."""

    def update_of(name, *overrides):
        torch.manual_seed(0)
        read = config(name, *overrides)
        groups = sample_groups(read, policy, SIZES, rows[:3], step=1)
        return make_update(read, policy, groups, SIZES.max_response_length), groups

    return update_of


def gradient(policy, loss):
    policy.model.zero_grad(set_to_none=True)
    loss.backward()
    return torch.cat([parameter.grad.flatten() for parameter in policy.model.parameters()])


def test_the_gradient_is_that_of_the_advantages_times_the_log_probabilities(policy, update_of):
    update, groups = update_of("gec_only")
    outputs = [candidate.output for group in groups for candidate in group]
    slow = torch.zeros(())
    for row, output in enumerate(outputs):
        logits = policy.model(torch.tensor([output.prompt_ids + output.response_ids])).logits[0]
        log_probs = logits[len(output.prompt_ids) - 1 : -1].log_softmax(dim=-1)
        for place, token in enumerate(output.response_ids):
            slow = slow - update.advantages[row, place] * log_probs[place, token]
    slow = slow / sum(len(output.response_ids) for output in outputs)
    expected = gradient(policy, slow)
    assert expected.abs().max() > 0
    torch.testing.assert_close(gradient(policy, update.loss), expected, rtol=1e-3, atol=1e-6)


def test_where_no_group_has_contrast_grpo_has_no_gradient(policy, update_of):
    update, _ = update_of("grpo")  # an untrained policy is never right
    assert update.metrics["edge_grpo/groups/all_wrong_before_gec"] == 1
    assert (gradient(policy, update.loss) == 0).all()


@pytest.mark.parametrize("name", ["edge_grpo", "edge_grpo_plus", "ngrpo", "avspo", "egpo", "rl_zvp", "luffy"])
def test_what_revives_such_groups_has_one(policy, update_of, name):
    update, _ = update_of(name)
    found = gradient(policy, update.loss)
    assert torch.isfinite(found).all() and found.abs().max() > 0


@pytest.mark.parametrize("name", RECIPES_HERE)
def test_the_metrics_are_those_of_a_run_in_verl(update_of, name):
    update, _ = update_of(name)
    assert {"edge_grpo/accuracy/first_pass", "edge_grpo/entropy/mean", "edge_grpo/gec/tokens_injected"} <= set(
        update.metrics
    )
    assert (update.advantages[update.stored.response_mask == 0] == 0).all()


def test_a_token_that_is_out_of_the_loss_has_no_gradient(config, update_of):
    update, _ = update_of("edge_grpo_plus")
    log_probs = torch.zeros_like(update.advantages, requires_grad=True)
    losses = token_losses(config("edge_grpo_plus"), log_probs, update.advantages, update.stored)
    aggregate(losses, update.stored.response_mask, "token-mean", 128).backward()
    assert update.stored.is_failed_prefix.any()
    assert (log_probs.grad[update.stored.is_failed_prefix] == 0).all()
    assert log_probs.grad.abs().max() > 0


def test_weights_scale_the_advantages_of_their_tokens(update_of):
    plain, _ = update_of("gec_only")
    choices = [f"edge_grpo.gec.failed_prefix_loss.{strategy}=weight" for strategy in ("answer", "reflection")]
    weighted, _ = update_of("gec_only", *choices, "edge_grpo.gec.failed_prefix_weight=0.5")
    factor = torch.where(weighted.stored.is_failed_prefix, 0.5, 1.0)
    torch.testing.assert_close(weighted.advantages, plain.advantages * factor)
    assert weighted.stored.is_failed_prefix.any()


def test_shaped_injected_tokens_have_the_value_of_the_shaping_function(config, update_of):
    update, _ = update_of("gec_only", "edge_grpo.gec.injected_loss=shaped")
    log_probs = torch.full_like(update.advantages, -1.0, requires_grad=True)
    losses = token_losses(
        config("gec_only", "edge_grpo.gec.injected_loss=shaped"), log_probs, update.advantages, update.stored
    )
    probability = torch.tensor(-1.0).exp()
    factor = torch.where(update.stored.is_injected, probability / (probability + 0.1), 1.0)
    torch.testing.assert_close(losses.detach(), -update.advantages * factor)


def test_the_loss_of_luffy_is_the_one_of_its_paper(policy, update_of):
    """Every group has one solution, which is right, and three responses of an untrained policy, which never are.

    The mean is 1/4: the solution has the advantage 3/4 and the ratio p / (p + 0.1), the others -1/4 and the ratio 1 at
    its gradient, that of log p. Sums over tokens, divided by 12 responses and the constant length 128.
    """
    update, groups = update_of("luffy")
    slow = torch.zeros(())
    for candidate in (candidate for group in groups for candidate in group):
        prompt, response = candidate.output.prompt_ids, candidate.output.response_ids
        log_probs = policy.model(torch.tensor([prompt + response])).logits[0, len(prompt) - 1 : -1].log_softmax(dim=-1)
        of_tokens = log_probs[range(len(response)), response]
        if candidate.record.strategy is Strategy.SOLUTION:
            slow = slow - 0.75 * (of_tokens.exp() / (of_tokens.exp() + 0.1)).sum()
        else:
            slow = slow + 0.25 * (of_tokens - of_tokens.detach()).exp().sum()
    slow = slow / 128 / 12
    assert update.loss.item() == pytest.approx(slow.item(), rel=1e-4)
    torch.testing.assert_close(gradient(policy, update.loss), gradient(policy, slow), rtol=1e-3, atol=1e-7)


def test_dr_grpo_divides_by_the_responses_and_a_constant_length():
    losses, mask = torch.tensor([[1.0, 2.0, 9.0], [4.0, 9.0, 9.0], [9.0, 9.0, 9.0]]), torch.zeros(3, 3)
    mask[0, :2] = mask[1, :1] = 1
    # (1 + 2 + 4) / 10 / 2 responses that have a token
    assert aggregate(losses, mask, "seq-mean-token-sum-norm", 10).item() == pytest.approx(0.35)
    assert aggregate(losses, torch.zeros(3, 3), "token-mean", 10).item() == 0


def test_the_sampled_entropy_is_made_of_the_log_probabilities(policy, update_of):
    update, groups = update_of("eda_only", "edge_grpo.eda.entropy=sampled")
    outputs = [candidate.output for group in groups for candidate in group]
    log_probs, _ = policy.token_statistics([o.prompt_ids for o in outputs], [o.response_ids for o in outputs])
    torch.testing.assert_close(update.stored.token_entropy, -log_probs.detach())
