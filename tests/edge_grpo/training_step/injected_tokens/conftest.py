"""What the tests of the injected loss share: random batches, and a slow version of the loss of one token."""

import pytest
import torch

CLIP_RATIO, DUAL_CLIP_RATIO = 0.2, 3.0  # verl's defaults
GAMMA = 0.1  # LUFFY's


@pytest.fixture(scope="session")
def random_batch():
    """random_batch(seed, dtype): (B, T) tensors by name, far enough off-policy for every kind of clip.

    The mask of the last response is empty; some importance weights are 0.
    """

    def random_batch(seed, dtype=torch.float64, size=(8, 12)):
        generator = torch.Generator().manual_seed(seed)

        def uniform(low, high, shape=size):
            return torch.rand(shape, generator=generator, dtype=dtype) * (high - low) + low

        log_prob = uniform(-6.0, 0.0)
        response_mask = uniform(0, 1) < 0.8
        response_mask[-1] = False
        return {
            "log_prob": log_prob,
            "old_log_prob": log_prob + uniform(-2.0, 2.0),
            "advantages": uniform(-2.0, 2.0, (size[0], 1)).expand(size).contiguous(),
            "response_mask": response_mask,
            "is_injected": uniform(0, 1) < 0.4,
            "importance_weights": uniform(-0.2, 2.0).clamp(min=0.0),
        }

    return random_batch


@pytest.fixture(scope="session")
def slow_clipped_loss():
    """slow_clipped_loss(log_prob, old_log_prob, advantage): PPO's loss of one token, with the dual clip."""

    def slow_clipped_loss(log_prob, old_log_prob, advantage):
        ratio = (log_prob - old_log_prob).exp()
        nearest_ratio = min(max(ratio, 1 - CLIP_RATIO), 1 + CLIP_RATIO)
        loss = max(-advantage * ratio, -advantage * nearest_ratio)
        return min(loss, -advantage * DUAL_CLIP_RATIO) if advantage < 0 else loss

    return slow_clipped_loss


@pytest.fixture(scope="session")
def slow_shaped_loss():
    """slow_shaped_loss(log_prob, advantage): LUFFY's loss of one off-policy token."""

    def slow_shaped_loss(log_prob, advantage):
        probability = log_prob.exp()
        return -advantage * probability / (probability + GAMMA)

    return slow_shaped_loss


@pytest.fixture(scope="session")
def actor_config():
    """actor_config(**global_batch_info): verl's configuration of the actor, with its defaults."""
    from verl.workers.config import ActorConfig

    def actor_config(**global_batch_info):
        config = ActorConfig(strategy="fsdp2", rollout_n=1, use_dynamic_bsz=True)
        assert (config.clip_ratio_low, config.clip_ratio_high) == (CLIP_RATIO, CLIP_RATIO)
        assert config.clip_ratio_c == DUAL_CLIP_RATIO
        config.global_batch_info.update(global_batch_info)
        return config

    return actor_config


@pytest.fixture(scope="session")
def verl_loss(actor_config):
    """verl_loss(name, batch, weights, mode, **info): loss, gradient by log_prob and metrics of a registered loss."""
    from verl.trainer.ppo.core_algos import get_policy_loss_fn

    def verl_loss(name, batch, weights, mode="token-mean", **global_batch_info):
        log_prob = batch["log_prob"].clone().requires_grad_()
        loss, metrics = get_policy_loss_fn(name)(
            old_log_prob=batch["old_log_prob"],
            log_prob=log_prob,
            advantages=batch["advantages"],
            response_mask=batch["response_mask"],
            loss_agg_mode=mode,
            config=actor_config(**global_batch_info),
            rollout_is_weights=weights,
        )
        return loss.detach(), torch.autograd.grad(loss, log_prob)[0], metrics

    return verl_loss
