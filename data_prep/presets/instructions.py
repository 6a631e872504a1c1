r"""Knows the instructions that datasets put around a problem, so that ours can take their place.

A new one: a line in `KNOWN_INSTRUCTIONS`, as it is published. Case, spaces and line breaks, the kind of quotation mark
and a last full stop do not matter.
"""

import re

BOX_INSTRUCTION = r"Please reason step by step, and put your final answer within \boxed{}."
"""The instruction of Qwen2.5-Math and DeepSeek-R1, of which the reward reads the answer."""

KNOWN_INSTRUCTIONS = (
    BOX_INSTRUCTION,
    # verl's examples gsm8k.py and math_dataset.py
    'Let\'s think step by step and output the final answer after "####".',
    r"Let's think step by step and output the final answer within \boxed{}.",
    # DAPO-Math-17k, before and behind the problem; with a box, slime's version; the last one is that of simple-evals
    "Solve the following math problem step by step. The last line of your response should be of the form Answer: "
    "$Answer (without quotes) where $Answer is the answer to the problem.",
    "Solve the following math problem step by step. The last line of your response should be of the form Answer: "
    r"\boxed{$Answer} where $Answer is the answer to the problem.",
    'Remember to put your answer on its own line after "Answer:".',
    'Remember to put your answer on its own line after "Answer:", and you do not need to use a \\boxed command.',
    # OpenThoughts-114k
    r"Return your final response within \boxed{}.",
    # LUFFY's system text, which is found before the problem where a dataset was flattened
    "Your task is to follow a systematic, thorough reasoning process before providing the final solution. This "
    "involves analyzing, summarizing, exploring, reassessing, and refining your thought process through multiple "
    "iterations. Structure your response into two sections: Thought and Solution. In the Thought section, present your "
    'reasoning using the format: "<think>\n {thoughts} </think>\n". Each thought should include detailed analysis, '
    'brainstorming, verification, and refinement of ideas. After "</think>\n," in the Solution section, provide the '
    "final, logical, and accurate answer, clearly derived from the exploration in the Thought section. If applicable, "
    r"include the answer in \boxed{} for closed-form results like multiple choices or mathematical solutions.",
)

_QUOTATION_MARKS = {"'": "['\u2018\u2019]", '"': '["\u201c\u201d]'}


def strip_instructions(text: str) -> str:
    r"""Return `text` without the known instructions at its beginning and its end, however many there are.

    The spaces beside an instruction go with it; a text without one stays as it is. What stands inside a problem is part
    of the problem.

    >>> strip_instructions("What is 1+1? Let's think step by step and output the final answer within \\boxed{}.")
    'What is 1+1?'
    """
    while True:
        match = _AT_THE_BEGINNING.match(text)
        if match:
            text = text[match.end() :].lstrip()
            continue
        match = _AT_THE_END.search(text)
        if not match:
            return text
        text = text[: match.start()].rstrip()


def _pattern_of(instruction: str) -> str:
    words = instruction.removesuffix(".").split()
    spelled = (re.sub("""['"]""", lambda quote: _QUOTATION_MARKS[quote[0]], re.escape(word)) for word in words)
    return r"\s+".join(spelled) + r"\.?"


_ANY = "|".join(map(_pattern_of, sorted(KNOWN_INSTRUCTIONS, key=len, reverse=True)))
_AT_THE_BEGINNING = re.compile(rf"\s*(?:{_ANY})(?=\s|\Z)", re.IGNORECASE)
_AT_THE_END = re.compile(rf"(?:{_ANY})\s*\Z", re.IGNORECASE)
