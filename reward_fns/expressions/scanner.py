"""Reads a text from left to right: what comes next, and whether it is what is expected."""

import re


class Unreadable(ValueError):
    """The text is outside the grammar."""


class Scanner:
    """A text and a position in it. Spaces are skipped, they carry no meaning in mathematics."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def peek(self) -> str:
        """The next character; empty at the end."""
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1
        return self.text[self.position : self.position + 1]

    def take(self, expected: str) -> bool:
        """Whether `expected` comes next; if so, move behind it."""
        self.peek()
        if not self.text.startswith(expected, self.position):
            return False
        self.position += len(expected)
        return True

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The match of `pattern` that comes next, if any; move behind it."""
        self.peek()
        match = pattern.match(self.text, self.position)
        if match:
            self.position = match.end()
        return match

    def lookahead(self, pattern: re.Pattern[str]) -> str:
        """The text that `match` would take; empty if there is none."""
        self.peek()
        match = pattern.match(self.text, self.position)
        return match[0] if match else ""
