"""The tokenizer of the tiny policy, as it is trained and as it is loaded again."""

import random

import pytest

from data_prep.arithmetic_problems import LEVELS, draw_problem
from recipe.edge_grpo.correction.tokens import answer_text
from recipe.edge_grpo.quickstart.tiny_policy.architecture import build_tokenizer
from recipe.edge_grpo.quickstart.tiny_policy.examples import ANSWER_TEXT, REFLECTION_TEXT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  two  spaces , and a comma .",
        "line\n\nbreaks\ttabs\r\n",
        r"\frac{1}{2}\cdot\sqrt{3} \le \boxed{42}.",
        "Ünïcödé: 四十二, ∑ ≤ π, 😀, ٤٢",
        "What is 12+5?",
    ],
)
def test_any_text_survives_the_tokenizer(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


def test_the_loaded_tokenizer_splits_text_as_the_trained_one_did(tokenizer):
    # transformers replaces the splitting rules saved with a Qwen2 checkpoint by its own.
    rng = random.Random(0)
    problems = [draw_problem(rng, difficulty) for difficulty in LEVELS for _ in range(20)]
    texts = [text for problem in problems for text in (problem.text, problem.solution)]
    texts += [REFLECTION_TEXT, answer_text(ANSWER_TEXT, "42"), r"\frac{1}{2} \le π,\n\n  x"]
    trained = build_tokenizer()
    assert [tokenizer.encode(text) for text in texts] == [trained.encode(text) for text in texts]


def test_every_digit_is_a_token_of_its_own(tokenizer):
    text = "120+345=465. 9 4"
    tokens = [tokenizer.decode([token_id]) for token_id in tokenizer.encode(text)]
    assert [token for token in tokens if any(map(str.isdigit, token))] == list("12034546594")


def test_a_chat_becomes_chatml(tokenizer):
    chat = [{"role": "user", "content": "What is 1+1?"}]
    rendered = tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
    assert rendered == "<|im_start|>user\nWhat is 1+1?<|im_end|>\n<|im_start|>assistant\n"
    assert tokenizer.encode(rendered)[0] == tokenizer.convert_tokens_to_ids("<|im_start|>")


def test_special_tokens_are_the_end_of_a_turn_and_padding(tokenizer):
    assert (tokenizer.eos_token, tokenizer.pad_token) == ("<|im_end|>", "<|endoftext|>")


def test_texts_of_training_are_short_in_tokens(tokenizer):
    assert len(tokenizer.encode(REFLECTION_TEXT)) == 7  # One a word and punctuation mark.
    assert len(tokenizer.encode(answer_text(ANSWER_TEXT, "123"))) <= 22
    rng = random.Random(0)
    problems = [draw_problem(rng, difficulty) for difficulty in LEVELS for _ in range(50)]
    chats = [[{"role": "user", "content": problem.text}] for problem in problems]
    prompts = [tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False) for chat in chats]
    assert max(len(tokenizer.encode(prompt)) for prompt in prompts) <= 50
    assert max(len(tokenizer.encode(problem.solution)) for problem in problems) <= 42


def test_the_tokenizer_is_the_same_every_time():
    assert build_tokenizer().get_vocab() == build_tokenizer().get_vocab()
