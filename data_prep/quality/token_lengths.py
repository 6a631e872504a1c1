"""Measures how long prompts and solutions are in the tokens of a given tokenizer."""

from collections.abc import Sequence
from typing import Any

import numpy
from tqdm import tqdm

_BATCH_SIZE = 1000

PERCENTILES = (50, 90, 99, 100)


def load_tokenizer(name: str) -> Any:
    """Load the tokenizer of a model folder or of a model on the hub. Raises ValueError, naming it, if that fails."""
    from transformers import AutoTokenizer  # Takes seconds to import, and most calls need no tokenizer.

    try:
        return AutoTokenizer.from_pretrained(name)
    except Exception as error:  # The library raises errors of many unrelated types.
        raise ValueError(f"tokenizer {name}: {error}") from error


def prompt_lengths(tokenizer: Any, prompts: Sequence[str]) -> list[int]:
    """Count the tokens of each prompt as verl does: as a user message, in the chat template if there is one."""
    if tokenizer.chat_template is not None:
        prompts = [
            tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt}], add_generation_prompt=True, tokenize=False
            )
            for prompt in prompts
        ]
    return text_lengths(tokenizer, prompts)


def text_lengths(tokenizer: Any, texts: Sequence[str]) -> list[int]:
    """Count the tokens of each text, without special tokens around it, with a progress bar."""
    lengths: list[int] = []
    with tqdm(desc="tokenizing", total=len(texts), unit="text", delay=1, mininterval=1) as progress:
        for start in range(0, len(texts), _BATCH_SIZE):
            batch = list(texts[start : start + _BATCH_SIZE])
            encoded = tokenizer(batch, add_special_tokens=False, return_attention_mask=False, verbose=False)
            lengths += map(len, encoded["input_ids"])
            progress.update(len(batch))
    return lengths


def percentiles(lengths: Sequence[int]) -> list[int]:
    """Return the percentiles named in `PERCENTILES`; each is one of `lengths`, of which there must be at least one.

    >>> percentiles([1, 2, 3, 4, 100])
    [3, 100, 100, 100]
    """
    return [int(value) for value in numpy.percentile(lengths, PERCENTILES, method="inverted_cdf")]
