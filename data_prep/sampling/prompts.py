"""Builds the prompts of many problems, and says how long the responses to them may be."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from data_prep.sampling.templates import Prompt, build_prompt


def build_prompts(
    template: str,
    chats: Iterable[tuple[str, Sequence[Mapping[str, str]]]],
    tokenizer: Any,
    max_length: int,
    chat_options: Mapping[str, Any] | None = None,
) -> list[Prompt]:
    """Put every chat into the template; a chat comes with the words that name it in messages, such as "row 3".

    Raises ValueError, with these words, for a chat that the template does not take (see `build_prompt`), and for a
    prompt that leaves no room for a response within `max_length` tokens.
    """
    prompts = []
    for name, messages in chats:
        try:
            prompt = build_prompt(template, messages, tokenizer, chat_options)
            if len(prompt.token_ids) >= max_length:
                raise ValueError(f"the prompt has {len(prompt.token_ids)} tokens, and the model takes {max_length}")
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        prompts.append(prompt)
    return prompts


def needed_length(prompts: Iterable[Prompt], max_tokens: int, max_length: int) -> int:
    """Return the number of tokens that the longest prompt and `max_tokens` more take, at most `max_length`.

    >>> needed_length([Prompt("a b", (5, 6)), Prompt("a", (5,))], max_tokens=8, max_length=4096)
    10
    """
    return min(max_length, max(len(prompt.token_ids) for prompt in prompts) + max_tokens)
