"""A scanner reads a text from left to right, and compares what comes next with what is expected."""

import re


class Unreadable(ValueError):
    """Raised where the text is outside the grammar."""


class Scanner:
    """Holds a text and a position in it. Spaces are skipped: they carry no meaning in mathematics."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def peek(self) -> str:
        """Return the next character, or an empty text at the end."""
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1
        return self.text[self.position : self.position + 1]

    def take(self, expected: str) -> bool:
        """Return True and move behind `expected` if it comes next."""
        self.peek()
        if not self.text.startswith(expected, self.position):
            return False
        self.position += len(expected)
        return True

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Return the match of `pattern` that comes next and move behind it; None if there is none."""
        self.peek()
        match = pattern.match(self.text, self.position)
        if match:
            self.position = match.end()
        return match

    def lookahead(self, pattern: re.Pattern[str]) -> str:
        """Return the text that `match` would take, without moving; empty if there is none."""
        self.peek()
        match = pattern.match(self.text, self.position)
        return match[0] if match else ""
