"""Lengths in tokens, with a real tokenizer."""

import pytest

from data_prep.quality.token_lengths import load_tokenizer, percentiles, prompt_lengths, text_lengths
from recipe.edge_grpo.quickstart.tiny_policy.architecture import train_tokenizer

TEXTS = ["What is 12+5?", "Work out $\\frac{1}{2}$.", "", "Ünïcödé 😀"]


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    train_tokenizer(TEXTS, vocab_size=300, max_length=8).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def tokenizer(model_folder):
    return load_tokenizer(model_folder)


def test_prompts_are_counted_as_verl_encodes_them(tokenizer):
    encoded = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": text}], add_generation_prompt=True, tokenize=True, return_dict=False
        )
        for text in TEXTS
    ]
    assert prompt_lengths(tokenizer, TEXTS) == [len(token_ids) for token_ids in encoded]


def test_without_a_chat_template_prompts_are_plain_text(model_folder):
    tokenizer = load_tokenizer(model_folder)
    tokenizer.chat_template = None
    assert prompt_lengths(tokenizer, TEXTS) == text_lengths(tokenizer, TEXTS)


def test_texts_are_counted_in_their_order_across_batches(tokenizer):
    texts = ["1" * (number % 7) for number in range(2500)]  # Every digit is a token.
    assert text_lengths(tokenizer, texts) == [number % 7 for number in range(2500)]


def test_percentiles_are_lengths_that_occur():
    # 100 lengths, 1000 down to 10: half are at most 500, 90 of them at most 900.
    assert percentiles(list(range(1000, 0, -10))) == [500, 900, 990, 1000]
    assert percentiles([7]) == [7, 7, 7, 7]


def test_a_tokenizer_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=f"^tokenizer {tmp_path}/absent: "):
        load_tokenizer(f"{tmp_path}/absent")
