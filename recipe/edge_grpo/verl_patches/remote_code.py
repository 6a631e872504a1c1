"""A patch of verl: the reward worker runs code that comes with a tokenizer only where the user trusts it.

Lacking: verl's reward worker loads tokenizers with `trust_remote_code=True`, whatever the configuration says, and a
tokenizer's folder can name a Python file to be run; everything else in verl asks
`actor_rollout_ref.model.trust_remote_code`. Replaced: `hf_tokenizer` in `verl.experimental.reward_loop.reward_loop`,
while `RewardLoopWorker._init_reward_fn` runs. Active: in runs with the block `edge_grpo:`. May go: when verl's
reward worker asks the configuration.
"""

import functools
from typing import Any


def trust_as_configured(reward_loop: Any) -> None:
    """Make verl's `RewardLoopWorker` load its tokenizers as `actor_rollout_ref.model.trust_remote_code` says."""
    load_tokenizer = reward_loop.hf_tokenizer
    init_reward_fn = reward_loop.RewardLoopWorker._init_reward_fn

    @functools.wraps(init_reward_fn)
    def init_and_ask(self: Any) -> None:
        trusted = bool(self.config.actor_rollout_ref.model.get("trust_remote_code", False))

        @functools.wraps(load_tokenizer)
        def load(*args: Any, **kwargs: Any) -> Any:
            return load_tokenizer(*args, **{**kwargs, "trust_remote_code": trusted})

        reward_loop.hf_tokenizer = load
        try:
            init_reward_fn(self)
        finally:
            reward_loop.hf_tokenizer = load_tokenizer

    reward_loop.RewardLoopWorker._init_reward_fn = init_and_ask
