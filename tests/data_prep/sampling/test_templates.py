"""Templates: from chat messages to what the model reads."""

import pytest

from data_prep.sampling.prompts import build_prompts, needed_length
from data_prep.sampling.templates import TEMPLATES, build_prompt

PROBLEM = [{"role": "user", "content": "What is 1+1?"}]
WITH_SYSTEM = [{"role": "system", "content": "Answer."}, *PROBLEM]


class NoTokens:
    """A tokenizer that knows neither a chat template nor ChatML, and puts a token before every text."""

    chat_template = None

    def get_vocab(self):
        return {"a": 0}

    def encode(self, text, add_special_tokens):
        return [-1] * add_special_tokens + [ord(letter) for letter in text]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("chat", "<|im_start|>user\nWhat is 1+1?<|im_end|>\n<|im_start|>assistant\n"),
        (
            "qwen_math",
            "<|im_start|>system\nPlease reason step by step, and put your final answer within \\boxed{}.<|im_end|>\n"
            "<|im_start|>user\nWhat is 1+1?<|im_end|>\n<|im_start|>assistant\n",
        ),
        ("none", "What is 1+1?"),
    ],
)
def test_each_template_gives_its_text_and_the_tokens_of_that(tokenizer, template, text):
    prompt = build_prompt(template, PROBLEM, tokenizer)
    assert prompt.text == text
    assert tokenizer.decode(prompt.token_ids) == text
    assert (tokenizer.convert_tokens_to_ids("<|im_start|>") in prompt.token_ids) == (template != "none")


def test_the_text_alone_gets_the_tokens_that_a_tokenizer_puts_around_every_text():
    assert build_prompt("none", [{"role": "user", "content": "ab"}], NoTokens()).token_ids == (-1, 97, 98)


@pytest.mark.parametrize("template", ["chat", "qwen_math"])
def test_a_template_that_has_special_tokens_of_its_own_gets_no_others(template):
    tokenizer = NoTokens()
    tokenizer.chat_template = "some template"
    tokenizer.apply_chat_template = lambda messages, **options: "<s>ab"
    tokenizer.get_vocab = lambda: {"<|im_start|>": 1, "<|im_end|>": 2}
    assert -1 not in build_prompt(template, PROBLEM, tokenizer).token_ids


def test_a_chat_template_takes_several_messages(tokenizer):
    assert build_prompt("chat", WITH_SYSTEM, tokenizer).text.startswith("<|im_start|>system\nAnswer.<|im_end|>\n<|im")


@pytest.mark.parametrize("template", ["qwen_math", "none"])
def test_other_templates_take_one_message_of_the_user(tokenizer, template):
    with pytest.raises(ValueError, match=f"template {template} takes one message of the user.*system, user"):
        build_prompt(template, WITH_SYSTEM, tokenizer)


@pytest.mark.parametrize("template", ["chat", "qwen_math"])
def test_a_tokenizer_that_cannot_serve_the_template_is_refused(template):
    with pytest.raises(ValueError, match=f"template {template}: the tokenizer has no"):
        build_prompt(template, PROBLEM, NoTokens())


def test_an_unknown_template_is_refused_with_the_known_ones(tokenizer):
    with pytest.raises(ValueError, match=f"'alpaca'.*{', '.join(TEMPLATES)}"):
        build_prompt("alpaca", PROBLEM, tokenizer)


def test_a_prompt_that_fills_the_context_is_refused_with_its_name(tokenizer):
    length = len(build_prompt("chat", PROBLEM, tokenizer).token_ids)
    (prompt,) = build_prompts("chat", [("row 3", PROBLEM)], tokenizer, length + 1)
    assert len(prompt.token_ids) == length
    with pytest.raises(ValueError, match=f"row 3: the prompt has {length} tokens, and the model takes {length}"):
        build_prompts("chat", [("row 3", PROBLEM)], tokenizer, length)


def test_errors_of_a_template_have_the_name_of_the_row(tokenizer):
    with pytest.raises(ValueError, match="row 2: template none takes"):
        build_prompts("none", [("row 1", PROBLEM), ("row 2", WITH_SYSTEM)], tokenizer, 100)


def test_the_engine_needs_room_for_the_longest_prompt_but_not_more_than_the_model_takes(tokenizer):
    chats = [("short", PROBLEM), ("long", WITH_SYSTEM)]
    prompts = build_prompts("chat", chats, tokenizer, 1000)
    longest = len(prompts[1].token_ids)
    assert needed_length(prompts, 10, max_length=1000) == longest + 10
    assert needed_length(prompts, 10, max_length=longest + 3) == longest + 3
