r"""Turns the prompt of a verl row into what the model reads of it, by a template.

chat        the tokenizer's own chat template, as verl trains with
qwen_math   the one of Qwen2.5-Math, with which the paper evaluates, for any tokenizer that knows ChatML
none        the text of the problem alone
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CHAT, QWEN_MATH, PLAIN = "chat", "qwen_math", "none"

_START, _END = "<|im_start|>", "<|im_end|>"
_QWEN_MATH_SYSTEM = "Please reason step by step, and put your final answer within \\boxed{}."

Messages = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Prompt:
    """A prompt as text and as the token ids that the model gets."""

    text: str
    token_ids: tuple[int, ...]


def build_prompt(
    template: str, messages: Messages, tokenizer: Any, chat_options: Mapping[str, Any] | None = None
) -> Prompt:
    """Put chat messages into one of `TEMPLATES`; `chat_options` are variables that a chat template may read.

    Raises ValueError for a template that the tokenizer cannot serve, and, but for `chat`, unless `messages` is one
    message of the user.
    """
    if template not in _WRITERS:
        raise ValueError(f"unknown template {template!r}; there are {', '.join(TEMPLATES)}")
    text = _WRITERS[template](messages, tokenizer, chat_options or {})
    # The other two contain the special tokens that belong there.
    return Prompt(text, tuple(tokenizer.encode(text, add_special_tokens=template == PLAIN)))


def _write_chat(messages: Messages, tokenizer: Any, chat_options: Mapping[str, Any]) -> str:
    if tokenizer.chat_template is None:
        raise ValueError(f"template {CHAT}: the tokenizer has no chat template; use {QWEN_MATH} or {PLAIN}")
    options = {"add_generation_prompt": True, **chat_options, "tokenize": False}
    return str(tokenizer.apply_chat_template(list(messages), **options))


def _write_qwen_math(messages: Messages, tokenizer: Any, _: Mapping[str, Any]) -> str:
    if not {_START, _END} <= tokenizer.get_vocab().keys():
        raise ValueError(f"template {QWEN_MATH}: the tokenizer has no token {_START} or {_END}; use {CHAT} or {PLAIN}")
    turns = (("system", _QWEN_MATH_SYSTEM), ("user", _problem_text(QWEN_MATH, messages)))
    return "".join(f"{_START}{role}\n{content}{_END}\n" for role, content in turns) + f"{_START}assistant\n"


def _write_plain(messages: Messages, _: Any, __: Mapping[str, Any]) -> str:
    return _problem_text(PLAIN, messages)


_WRITERS: dict[str, Callable[[Messages, Any, Mapping[str, Any]], str]] = {
    CHAT: _write_chat,
    QWEN_MATH: _write_qwen_math,
    PLAIN: _write_plain,
}
TEMPLATES = tuple(_WRITERS)


def _problem_text(template: str, messages: Messages) -> str:
    if len(messages) != 1 or messages[0]["role"] != "user":
        roles = ", ".join(message["role"] for message in messages)
        raise ValueError(f"template {template} takes one message of the user, and the prompt has: {roles}")
    return messages[0]["content"]
