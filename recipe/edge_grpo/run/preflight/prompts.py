"""Checks of the prompts: chat template, lengths, and room in the model's context."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from recipe.edge_grpo.run.preflight.findings import Finding, ok, refuse, warn

LENGTH_SECONDS = 3.0
"""After so long no more prompts are tokenized; what has been counted is said as `at least`."""

NUM_PROMPTS_READ = 50
"""Prompts, spread over the file, in which the form of the answer is looked for."""


def check_template(tokenizer: Any, prompt: Any, template_options: Mapping[str, Any]) -> Iterator[Finding]:
    """Refuse a tokenizer whose chat template is missing or does not render a prompt of the training data."""
    try:
        text = render(tokenizer, prompt, template_options)
    except Exception as error:  # a template is a program of the model's, and may raise anything
        yield refuse(
            f"the chat template does not render the first training prompt: {str(error).splitlines()[0]}",
            "name a model whose tokenizer has one, or set actor_rollout_ref.model.custom_chat_template",
        )
    else:
        yield ok(f"chat template: renders the first training prompt as {len(text)} characters")


def render(tokenizer: Any, prompt: Any, template_options: Mapping[str, Any]) -> str:
    """Return the text of a prompt as the policy reads it."""
    options = {name: value for name, value in template_options.items() if name not in ("tokenize", "return_dict")}
    return str(tokenizer.apply_chat_template(prompt, add_generation_prompt=True, tokenize=False, **options))


def count_overlong(
    measure: Callable[[Sequence[Any]], Sequence[int]],
    prompts: Sequence[Any],
    limit: int,
    seconds: float = LENGTH_SECONDS,
) -> int:
    """Count the prompts of more than `limit` tokens among the longest in characters, for `seconds` at most.

    Never more than there are: a prompt that is counted has been measured. Counting ends after 100 prompts in a row that
    are all shorter than three quarters of the limit, and when the time is over.

    Args:
        measure: gives the number of tokens of each of some prompts, `limit` + 1 for one that does not render.
        prompts: lists of messages.
        limit: `data.max_prompt_length`.
        seconds: when to stop.
    """
    deadline = time.monotonic() + seconds
    by_length = sorted(prompts, key=_num_characters, reverse=True)
    num_overlong = 0
    for start in range(0, len(by_length), 100):
        lengths = measure(by_length[start : start + 100])
        num_overlong += sum(length > limit for length in lengths)
        if max(lengths) < 0.75 * limit or time.monotonic() > deadline:
            break
    return num_overlong


def measure_prompts(
    tokenizer: Any, prompts: Sequence[Any], template_options: Mapping[str, Any], limit: int
) -> list[int]:
    """Return the number of tokens of each prompt; `limit` + 1 for one that does not render, as verl drops it too."""
    lengths = []
    for prompt in prompts:
        try:
            text = render(tokenizer, prompt, template_options)
        except Exception:  # verl's filter takes any error for a prompt that is too long
            lengths.append(limit + 1)
        else:
            lengths.append(len(tokenizer(text, add_special_tokens=False)["input_ids"]))
    return lengths


def _num_characters(prompt: Any) -> int:
    return sum(len(str(message.get("content") or "")) for message in prompt or ())


def check_lengths(key: str, num_overlong: int, num_prompts: int, limit: int, is_filtered: bool) -> Iterator[Finding]:
    """Say how many prompts exceed `data.max_prompt_length`, and what verl does with them; refuse if all do.

    >>> [finding.text for finding in check_lengths("data.train_files", 8, 8, 20, is_filtered=True)]
    ['data.train_files: 8 of 8 prompts exceed data.max_prompt_length=20 tokens and are dropped']
    """
    if not num_overlong:
        return
    fate = " and are dropped" if is_filtered else ", and verl cuts off their beginning"
    text = f"{key}: {num_overlong} of {num_prompts} prompts exceed data.max_prompt_length={limit} tokens{fate}"
    if num_overlong == num_prompts:
        yield refuse(text, "raise data.max_prompt_length")
    elif is_filtered:
        yield warn(f"{text} (data.filter_overlong_prompts=True)")
    else:
        yield warn(text, "set data.filter_overlong_prompts=True, or raise it")


def check_context(
    prompt_length: int, response_length: int, max_model_len: int | None, num_positions: int | None
) -> Iterator[Finding]:
    """Compare prompt and response with the context of the engine and of the model, in tokens.

    Args:
        prompt_length: `data.max_prompt_length`.
        response_length: `data.max_response_length`.
        max_model_len: `actor_rollout_ref.rollout.max_model_len`, None for the model's.
        num_positions: `max_position_embeddings` of the model, None where it is not known.
    """
    key = "actor_rollout_ref.rollout.max_model_len"
    if max_model_len is not None and num_positions is not None and max_model_len > num_positions:
        yield refuse(f"{key}={max_model_len} exceeds the model's {num_positions} positions", "lower it")
        return
    context, name = (max_model_len, key) if max_model_len is not None else (num_positions, "the model's positions")
    if context is None:
        return
    needed = f"data.max_prompt_length={prompt_length} and data.max_response_length={response_length}"
    if prompt_length + response_length > context:
        yield warn(
            f"{needed} are {prompt_length + response_length} tokens, and {name} only {context}: responses to long "
            "prompts are cut off earlier",
            "lower one of the two",
        )
    else:
        yield ok(f"context: {needed} fit in {context} tokens")
