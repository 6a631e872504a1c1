"""Decides how a problem is put to the policy: by its own chat template, by a file's, or by the paper's."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from data_prep.sampling.templates import CHAT, PLAIN, QWEN_MATH
from data_prep.sources.records import read_records
from recipe.edge_grpo.evaluate.policy.run_folder import RunFolder

Chat = Sequence[Mapping[str, str]]

_NOT_VARIABLES = ("tokenize", "return_dict", "return_tensors")  # of apply_chat_template, which verl sets itself


@dataclass(frozen=True)
class Prompting:
    """The template by name and, for `chat`, what goes into it.

    Attributes:
        chat_template: Jinja text; None for the model's own.
        chat_options: variables that the template may read.
        system_prompt: None leaves the messages of the rows as they are.
        should_replace_system: False gives the system prompt only to rows that have none of their own.
    """

    template: str = CHAT
    chat_template: str | None = None
    chat_options: Mapping[str, Any] = field(default_factory=dict)
    system_prompt: str | None = None
    should_replace_system: bool = False

    def messages(self, messages: Chat) -> Chat:
        """Return the messages of a row with the system prompt, if there is one to give."""
        has_own = any(message["role"] == "system" for message in messages)
        if self.system_prompt is None or (has_own and not self.should_replace_system):
            return messages
        others = [message for message in messages if message["role"] != "system"]
        return [{"role": "system", "content": self.system_prompt}, *others]

    def prepare_tokenizer(self, tokenizer: Any, model: str) -> None:
        """Give the tokenizer the template. Raises ValueError with the choices if none is there that is needed."""
        if self.chat_template is not None:
            tokenizer.chat_template = self.chat_template
        if self.template == CHAT and tokenizer.chat_template is None:
            raise ValueError(
                f"model {model} has no chat template: choose --template {QWEN_MATH} or --template {PLAIN}, or give one "
                "with --template-file FILE"
            )

    def settings(self) -> dict[str, Any]:
        """Return what a response depends on; what is left as it is by default is None."""
        return {
            "template": self.template,
            "chat_template": self.chat_template,
            "chat_options": dict(self.chat_options) or None,
            "system_prompt": self.system_prompt,
        }


def trained_prompting(run: RunFolder) -> tuple[Prompting, list[str]]:
    """Return how the problems were put to the policy in training, and what of it cannot be known."""
    options = run.setting("data.apply_chat_template_kwargs", {})
    system_prompt, warnings = _system_prompt_of_training(run)
    prompting = Prompting(
        chat_template=run.setting("actor_rollout_ref.model.custom_chat_template"),
        chat_options={name: value for name, value in options.items() if name not in _NOT_VARIABLES},
        system_prompt=system_prompt,
    )
    return prompting, warnings


def chosen_prompting(options: argparse.Namespace, trained: Prompting | None) -> Prompting:
    """Return what the options of the command ask for; what they leave open is as in training, if that is known.

    Raises ValueError for options that do not go together, OSError for a template file that cannot be read.
    """
    template = options.template or CHAT
    if template != CHAT:
        for name in ("system_prompt", "template_file"):
            if getattr(options, name) is not None:
                raise ValueError(f"--{name.replace('_', '-')} goes with --template {CHAT}, and it is {template}")
        return Prompting(template)
    prompting = trained or Prompting()
    if options.template_file is not None:
        prompting = replace(prompting, chat_template=options.template_file.read_text(encoding="utf-8"))
    if options.system_prompt is not None:
        prompting = replace(prompting, system_prompt=options.system_prompt, should_replace_system=True)
    return prompting


def differences_from_training(chosen: Prompting, trained: Prompting) -> list[str]:
    """Return a warning for each part of the prompt that is not as in training.

    >>> differences_from_training(Prompting("qwen_math"), Prompting())
    ['template = qwen_math is not that of the training, chat: the policy sees prompts that it was not trained on']
    """
    old, new = trained.settings(), chosen.settings()
    names = [name for name in new if new[name] != old[name]]
    if "template" in names:
        names = ["template"]  # The others belong to the chat template.
    return [
        f"{name} = {_shown(new[name])} is not that of the training, {_shown(old[name])}: the policy sees prompts that "
        "it was not trained on"
        for name in names
    ]


def _system_prompt_of_training(run: RunFolder) -> tuple[str | None, list[str]]:
    """Return the system message of the first training row."""
    files = run.files("data.train_files")
    if not files:
        return None, []
    try:
        row = next(iter(read_records(str(files[0]))))
        messages = row[run.setting("data.prompt_key", "prompt")]
        contents = [message["content"] for message in messages if message["role"] == "system"]
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return None, [f"{files[0]} cannot be read: if its rows have a system prompt, give it with --system-prompt"]
    return (contents[0] if contents else None), []


def _shown(value: object) -> str:
    text = "the model's own" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
