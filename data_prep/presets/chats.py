"""Reads chats: messages of `role` and `content`, or turns of `from` and `value`, as texts or as lists of parts."""

from collections.abc import Mapping
from typing import Any

from data_prep.presets.fields import BadRow
from data_prep.presets.paths import Record

ROLES_BY_NAME = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "system": "system",
    "developer": "system",
}
IMAGE_PARTS = ("image", "image_url", "input_image")
CHAT_COLUMNS = ("prompt", "messages", "conversations")


def read_messages(chat: Any) -> list[tuple[str, str]]:
    """Return the role (user, assistant or system) and text of each message.

    Raises BadRow for what is no chat, for a role of another kind, such as that of a tool, and for an image.

    >>> read_messages([{"from": "human", "value": "1+1?"}, {"role": "assistant", "content": [{"text": "2"}]}])
    [('user', '1+1?'), ('assistant', '2')]
    """
    if not isinstance(chat, list | tuple) or not all(isinstance(message, Mapping) for message in chat):
        raise BadRow("not a chat", f"must be a list of messages, got {type(chat).__name__}")
    return [_read_message(message) for message in chat]


def read_question(chat: Any) -> str:
    """Return the text of the one user message; system messages, which hold instructions, are left out.

    Raises BadRow for no user message or several, and what `read_messages` raises.

    >>> read_question([{"role": "system", "content": "Think."}, {"role": "user", "content": "1+1?"}])
    '1+1?'
    """
    questions = [text for role, text in read_messages(chat) if role == "user"]
    if len(questions) > 1:
        raise BadRow("several turns", f"has {len(questions)} user messages; expected one")
    if not questions:
        raise BadRow("no problem", "has no user message")
    return questions[0]


def read_last_reply(chat: Any) -> str | None:
    """Return the text of the last assistant message, or None if there is none.

    >>> read_last_reply([{"from": "human", "value": "1+1?"}, {"from": "gpt", "value": "2"}])
    '2'
    """
    replies = [text for role, text in read_messages(chat) if role == "assistant"]
    return replies[-1] if replies else None


def has_system_message(record: Record) -> bool:
    """Return True if a chat of the record, or its column `system`, has a system text, which is left out.

    >>> has_system_message({"prompt": [{"role": "system", "content": "Think."}, {"role": "user", "content": "1+1?"}]})
    True
    """
    chats = [record.get(column) for column in CHAT_COLUMNS]
    messages = [message for chat in chats if isinstance(chat, list | tuple) for message in chat]
    return bool(record.get("system")) or any(
        isinstance(message, Mapping) and ROLES_BY_NAME.get(_role_name(message)) == "system" for message in messages
    )


def _role_name(message: Mapping[str, Any]) -> str:
    return str(message.get("role") or message.get("from"))


def _read_message(message: Mapping[str, Any]) -> tuple[str, str]:
    role = ROLES_BY_NAME.get(_role_name(message))
    if role is None:
        raise BadRow("unknown role", f"has a message of {_role_name(message)!r}; expected {', '.join(ROLES_BY_NAME)}")
    content = message.get("content")
    return role, _read_content(message.get("value") if content is None else content)


def _read_content(content: Any) -> str:
    parts = content if isinstance(content, list | tuple) else [content]
    return "\n".join(map(_read_part, parts))


def _read_part(part: Any) -> str:
    if part is None or isinstance(part, str):
        return part or ""  # A message that only calls a tool has no content.
    if isinstance(part, Mapping):
        if part.get("type") in IMAGE_PARTS:
            raise BadRow("image", f"has a part of type {part['type']}")
        if isinstance(part.get("text"), str):
            return str(part["text"])
    raise BadRow("not a text", "has a message whose content is neither a text nor a list of texts")
