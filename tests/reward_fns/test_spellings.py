"""Answers in two spellings, and near misses: over a thousand pairs in `spellings.jsonl`, from both sides.

Each line holds the kind of the answers, the two, and if a careful reader calls them the same. A new pair: its line.
"""

import contextlib
import json
import random
import re
from collections import defaultdict
from pathlib import Path

import pytest

from reward_fns.equivalence.compare import compare_quickly
from reward_fns.expressions.values import TooLarge
from reward_fns.limits import exceeds_text_limits
from reward_fns.math_reward import grade

PAIRS = defaultdict(list)
for line in Path(__file__).with_name("spellings.jsonl").read_text(encoding="utf-8").splitlines():
    pair = json.loads(line)
    PAIRS[pair["kind"]].append((pair["one"], pair["other"], pair["same"]))

# A line as a hostile answer could repeat it.
PIECES = re.split(
    r"\s+",
    r"""1 x k and or , ; : \pm \ldots | ( ) [ ] { } \{ \} = < \in \mid \equiv \pmod{5} \begin{cases} \end{cases} \\
    & _ ^ ^{ ^2 ! \frac \sqrt{ . 0. \dot3 ' 2: \text{a} \mathbb{Z} \mathrm{i} km/h \cdot \binom{n}{2} n! V_i \cup
    \infty only " % $ \, ½ √ ①""",
)


@pytest.mark.slow
@pytest.mark.parametrize("kind", PAIRS)
def test_spellings_of_an_answer_are_right_and_near_misses_wrong(kind):
    def is_right(candidate, gold):
        return grade(rf"\boxed{{{candidate}}}", gold) == 1.0

    assert len(PAIRS[kind]) > 50
    verdicts = [(one, other, same, is_right(one, other), is_right(other, one)) for one, other, same in PAIRS[kind]]
    assert [verdict for verdict in verdicts if verdict[3:] != (verdict[2], verdict[2])] == []


def test_a_piece_that_is_repeated_to_the_end_of_an_answer_is_settled_in_the_end():
    # Of an expression that could match in exponentially many ways, this test would never return.
    draw = random.Random(0)
    for piece in PIECES * 3:
        unit = piece + draw.choice((" ", "", "a ", draw.choice(PIECES)))
        answer = (unit * 500)[: draw.choice((499, 300))] + "!"
        if not exceeds_text_limits(answer):
            with contextlib.suppress(TooLarge):
                compare_quickly(answer, draw.choice(("x+1", "(1,2)", "5 cm")))
