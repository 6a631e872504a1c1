"""The limits say how much an answer may hold, and how large a number may become while it is evaluated."""

import re
from itertools import accumulate

# Real reference answers stay far below; 512 characters are a full line of mathematics and more.
MAX_CHARACTERS = 512
MAX_NESTING = 32
MAX_DIGIT_RUN = 256

# What an expression may reach while it is evaluated here.
MAX_EXACT_BITS = 1 << 16  # of one exact number: some 20,000 digits, enough for 2006! and 2024^4046
MAX_TOTAL_BITS = 1 << 20  # of all exact intermediate results of one expression
MAX_MAGNITUDE_BITS = 1 << 20  # of a rounded number's binary exponent
MAX_FACTORIAL = 5_000

_LONG_DIGIT_RUN = re.compile(rf"[0-9]{{{MAX_DIGIT_RUN + 1}}}")


def exceeds_text_limits(candidate: str) -> bool:
    """Return True if an answer is too long, too deeply nested or has too long a number to be worth comparing.

    Example: `exceeds_text_limits("9" * 257) is True`
    """
    if len(candidate) > MAX_CHARACTERS:
        return True
    return measure_nesting(candidate) > MAX_NESTING or _LONG_DIGIT_RUN.search(candidate) is not None


def measure_nesting(text: str) -> int:
    """Return how many brackets of any kind are open at once, at most. Example: `measure_nesting("(1)[(2)]") == 2`"""
    return max(count_open_brackets(text))


def count_open_brackets(text: str) -> list[int]:
    """Count the brackets open at the start and after each character; below 0 where more are closed.

    Example: `count_open_brackets("(1)") == [0, 1, 1, 0]`
    """
    return list(accumulate(((character in "{([") - (character in "})]") for character in text), initial=0))
