"""Reads the answers of GSM8K: a rationale with the marks of a calculator, and on the last line `####` and a number."""

import re
from typing import Any

from data_prep.presets.fields import BadRow
from data_prep.presets.paths import Record

HASHES = "####"

_WITH_THOUSANDS = re.compile(r"-?\$?\d{1,3}(?:,\d{3})+(?:\.\d+)?%?")
_CALCULATOR_MARK = re.compile(r"<<[^<>]*>>")


def read_after_hashes(value: Any, record: Record) -> str:
    r"""Return what stands behind the last `####`, without the commas of thousands.

    Raises BadRow if there is nothing.

    >>> read_after_hashes("He has 1000 + 80 = <<1000+80=1080>>1080.\n#### 1,080", {})
    '1080'
    """
    _, mark, behind = str(value).rpartition(HASHES)
    answer = behind.strip().partition("\n")[0].strip()
    if not mark or not answer:
        raise BadRow("no answer", f"has no answer behind {HASHES}")
    return answer.replace(",", "") if _WITH_THOUSANDS.fullmatch(answer) else answer


def read_gsm8k_solution(value: Any, record: Record) -> str | None:
    r"""Return the rationale without the marks of its calculator, and the answer in a box at its end.

    Returns None for a text without `####` and an answer.

    >>> read_gsm8k_solution("48/2 = <<48/2=24>>24 clips.\n#### 24", {})
    '48/2 = 24 clips.\nThe final answer is \\boxed{24}'
    """
    try:
        answer = read_after_hashes(value, record)
    except BadRow:
        return None
    rationale = _CALCULATOR_MARK.sub("", str(value).rpartition(HASHES)[0]).rstrip()
    return f"{rationale}\nThe final answer is \\boxed{{{answer}}}".lstrip()
