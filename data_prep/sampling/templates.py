r"""What the model reads of a problem: the prompt of a verl row, put into a template.

chat        the tokenizer's own chat template, as verl trains with
qwen_math   the one of Qwen2.5-Math, with which the paper evaluates, for any tokenizer that knows ChatML
none        the text of the problem alone
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CHAT, QWEN_MATH, NONE = "chat", "qwen_math", "none"
TEMPLATES = (CHAT, QWEN_MATH, NONE)

_START, _END = "<|im_start|>", "<|im_end|>"
_QWEN_MATH_SYSTEM = "Please reason step by step, and put your final answer within \\boxed{}."


@dataclass(frozen=True)
class Prompt:
    """A prompt as text and as the token ids that the model gets."""

    text: str
    token_ids: tuple[int, ...]


def build_prompt(template: str, messages: Sequence[Mapping[str, str]], tokenizer: Any) -> Prompt:
    """Put chat messages into one of `TEMPLATES`.

    Raises ValueError for a template that the tokenizer cannot serve, and, but for `chat`, unless `messages` is one
    message of the user.
    """
    if template == CHAT:
        if tokenizer.chat_template is None:
            raise ValueError(f"template {CHAT}: the tokenizer has no chat template; use {QWEN_MATH} or {NONE}")
        text = tokenizer.apply_chat_template(list(messages), add_generation_prompt=True, tokenize=False)
    elif template == QWEN_MATH:
        if not {_START, _END} <= tokenizer.get_vocab().keys():
            raise ValueError(
                f"template {QWEN_MATH}: the tokenizer has no token {_START} or {_END}; use {CHAT} or {NONE}"
            )
        turns = (("system", _QWEN_MATH_SYSTEM), ("user", _problem_text(template, messages)))
        text = "".join(f"{_START}{role}\n{content}{_END}\n" for role, content in turns) + f"{_START}assistant\n"
    elif template == NONE:
        text = _problem_text(template, messages)
    else:
        raise ValueError(f"unknown template {template!r}; there are {', '.join(TEMPLATES)}")
    # The other two contain the special tokens that belong there.
    return Prompt(text, tuple(tokenizer.encode(text, add_special_tokens=template == NONE)))


def _problem_text(template: str, messages: Sequence[Mapping[str, str]]) -> str:
    if len(messages) != 1 or messages[0]["role"] != "user":
        roles = ", ".join(message["role"] for message in messages)
        raise ValueError(f"template {template} takes one message of the user, and the prompt has: {roles}")
    return messages[0]["content"]
