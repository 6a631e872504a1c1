"""A tiny policy, four responses with injected tokens, and what verl's worker makes of them; see test_fsdp_step.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from recipe.edge_grpo.training_step.injected_tokens import injected_mask, mark_injected, weight_tokens

VOCAB_SIZE, PROMPT_LENGTH = 32, 3
LENGTHS = (5, 7, 4, 6)
SPANS = ([(2, 4)], [(0, 1), (5, 7)], [], [(1, 6)])
FAILED_PREFIXES = ([(0, 2)], [], [], [(0, 1)])
"""What stands before the first injected text of responses 0 and 3."""
WHOLE_RESPONSES = ([(0, 5)], [(0, 7)], [], [])

SHAPED = "actor_rollout_ref.actor.policy_loss.loss_mode=edge_grpo_shaped"
SEQUENCE_MEAN = "actor_rollout_ref.actor.loss_agg_mode=seq-mean-token-mean"


def unpadded(tensor):
    return [row[:length] for row, length in zip(tensor, LENGTHS, strict=True)]


def is_injected_in(spans):
    return injected_mask(spans, max(LENGTHS))


@pytest.fixture(scope="module")
def is_injected():
    """One tensor for each response, without padding."""
    return unpadded(is_injected_in(SPANS))


@pytest.fixture(scope="module")
def has_credit():
    """One tensor for each response: False in its failed prefix."""
    return unpadded(~is_injected_in(FAILED_PREFIXES))


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from recipe.edge_grpo.quickstart.tiny_policy.architecture import train_tokenizer

    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=VOCAB_SIZE,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=64,
        initializer_range=0.1,
        tie_word_embeddings=True,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    train_tokenizer(["a"], vocab_size=300, max_length=64).save_pretrained(folder)  # verl wants one; it is not used
    return folder


@pytest.fixture(scope="module")
def model(model_dir):
    """In double precision."""
    from transformers import Qwen2ForCausalLM

    return Qwen2ForCausalLM.from_pretrained(model_dir).double()


def log_prob_of(model, row):
    token_ids = torch.cat([row["prompts"], row["responses"]])
    log_probs = model(token_ids[None]).logits[0].log_softmax(dim=-1)
    return log_probs[PROMPT_LENGTH - 1 : -1].gather(1, row["responses"][:, None])[:, 0]


@pytest.fixture(scope="module")
def responses(model):
    """Four of them; the policy has moved since they were sampled, so that some tokens are clipped."""
    generator = torch.Generator().manual_seed(1)
    rows = []
    for length, advantage in zip(LENGTHS, (1.5, -0.7, 0.4, -1.1), strict=True):
        token_ids = torch.randint(3, VOCAB_SIZE, (PROMPT_LENGTH + length,), generator=generator)
        row = {"prompts": token_ids[:PROMPT_LENGTH], "responses": token_ids[PROMPT_LENGTH:]}
        moved = 0.3 * torch.randn(length, generator=generator)
        row["old_log_probs"] = (log_prob_of(model, row).detach() + moved).float()
        row["advantages"] = torch.full((length,), advantage)
        rows.append(row)
    return rows


def with_field(rows, name, values):
    return [{**row, name: value} for row, value in zip(rows, values, strict=True)]


def with_mask(rows, mask):
    """With a mask (B, T) as the agent loop stores it: as `response_mask` and as `loss_mask`."""
    masks = unpadded(mask.long())
    return with_field(with_field(rows, "response_mask", masks), "loss_mask", masks)


def poked(rows, mask):
    """With huge values where the mask (B, T) is 0."""
    return [
        {
            **row,
            "advantages": torch.where(is_kept, row["advantages"], 1e6),
            "old_log_probs": torch.where(is_kept, row["old_log_probs"], -1e3),
        }
        for row, is_kept in zip(rows, unpadded(mask), strict=True)
    ]


def updates_of(rows):
    """{name: (overrides, rows)} of every update that a test looks at."""
    no_token = torch.zeros(len(LENGTHS), max(LENGTHS), dtype=torch.bool)
    is_sampled = ~is_injected_in(SPANS)
    trained, masked = with_mask(rows, ~no_token), with_mask(rows, is_sampled)

    has_credit = ~is_injected_in(FAILED_PREFIXES)
    without_prefix = with_mask(rows, has_credit)

    def weighted(weight):
        padded = torch.nn.utils.rnn.pad_sequence([row["advantages"] for row in rows], batch_first=True)
        return with_field(trained, "advantages", unpadded(weight_tokens(padded, ~is_sampled, weight)))

    def marked(is_injected):
        return with_field(trained, "rollout_is_weights", unpadded(mark_injected(is_injected, None)))

    # Sampled responses of advantage 0 teach nothing: only the two that were injected as a whole can move the policy.
    only_injected = with_field(rows, "advantages", [row["advantages"] * (place < 2) for place, row in enumerate(rows)])
    return {
        "train": ([], trained),
        "mask": ([], masked),
        "mask, poked": ([], poked(masked, is_sampled)),
        "mask in response_mask only": ([], with_field(masked, "loss_mask", [row["loss_mask"] for row in trained])),
        "mask, sequence mean": ([SEQUENCE_MEAN], masked),
        "whole responses, train": ([], with_mask(only_injected, ~no_token)),
        "whole responses, mask": ([], with_mask(only_injected, ~is_injected_in(WHOLE_RESPONSES))),
        "nothing sampled": ([], with_mask(rows, no_token)),
        "nothing sampled, sequence mean": ([SEQUENCE_MEAN], with_mask(rows, no_token)),
        "failed prefix, mask": ([], without_prefix),
        "failed prefix, mask, poked": ([], poked(without_prefix, has_credit)),
        "weight 0.5": ([], weighted(0.5)),
        "weight 0": ([], weighted(0.0)),
        "shaped": ([SHAPED], marked(~is_sampled)),
        "shaped, nothing injected": ([SHAPED], marked(no_token)),
        "shaped, sequence mean": ([SHAPED, SEQUENCE_MEAN], marked(~is_sampled)),
    }


@pytest.fixture(scope="module")
def results(model_dir, responses, tmp_path_factory):
    """{name: gradients, parameters and metrics} of all updates, from one process."""
    folder = tmp_path_factory.mktemp("updates")
    plans = {name: {"overrides": overrides, "rows": rows} for name, (overrides, rows) in updates_of(responses).items()}
    torch.save(plans, folder / "updates.pt")
    program = str(Path(__file__).parent / "verl_update.py")
    command = [sys.executable, program, str(model_dir), str(folder / "updates.pt"), str(folder / "results.pt")]
    environment = {**os.environ, "VERL_PLATFORM": "cpu"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment)
    assert done.returncode == 0, done.stderr
    return torch.load(folder / "results.pt")


@pytest.fixture(scope="module")
def expected_gradients(model, responses, slow_clipped_loss, slow_shaped_loss):
    """expected_gradients(factors, is_shaped): of the sum of factor times loss over all tokens, by plain autograd.

    `factors` holds one tensor for each response. The loss is LUFFY's where `is_shaped`, and PPO's elsewhere.
    """

    def expected_gradients(factors, is_shaped=None):
        total = torch.zeros((), dtype=torch.float64)
        for place, row in enumerate(responses):
            for token, log_prob in enumerate(log_prob_of(model, row)):
                advantage = row["advantages"][token].double()
                if is_shaped is not None and is_shaped[place][token]:
                    loss = slow_shaped_loss(log_prob, advantage)
                else:
                    loss = slow_clipped_loss(log_prob, row["old_log_probs"][token].double(), advantage)
                total = total + factors[place][token] * loss
        names, parameters = zip(*model.named_parameters(), strict=True)
        return dict(zip(names, torch.autograd.grad(total, parameters), strict=True))

    return expected_gradients
