"""A patch of verl, in this one place: code that comes with a model is run only where the user trusts it.

verl's reward worker loads the tokenizer with `trust_remote_code=True`, whatever `actor_rollout_ref.model` says, and a
tokenizer's folder can name a Python file to be run. Everything else in verl asks the configuration.
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
