"""Tells what of a response error correction put in; pure."""

from collections.abc import Sequence
from os.path import commonprefix

from recipe.edge_grpo.report.page.rollouts import Response
from recipe.edge_grpo.settings.choices import Strategy

POLICY, INJECTED = 0, 1
Piece = tuple[int, str]
"""Who wrote it, and the text."""


def reflection_text_of(responses: Sequence[Response]) -> str:
    """Return what stands after the first pass of every reflected response: the text that made the policy reflect.

    For runs from before the column `injected_texts`; empty where fewer than two responses tell it.

    >>> reflected = {"strategy": "reflection", "first_pass_text": "4"}
    >>> reflection_text_of([{**reflected, "output": "4 Wait! It is 5"}, {**reflected, "output": "4 Wait! No"}])
    ' Wait! '
    """
    rests = {
        response["output"][len(first) :]
        for response in responses
        if response.get("strategy") == "reflection"
        and isinstance(first := response.get("first_pass_text"), str)
        and response["output"].startswith(first)
    }
    return str(commonprefix(list(rests))) if len(rests) > 1 else ""


def pieces_of(response: Response, reflection_text: str) -> list[Piece]:
    """Return the text of a response after correction in pieces, each with who wrote it.

    >>> pieces_of({"output": "4. The answer is 5.", "first_pass_text": "4.", "strategy": "answer"}, "")
    [(0, '4.'), (1, ' The answer is 5.')]
    """
    output, strategy, first = response["output"], response.get("strategy"), response.get("first_pass_text")
    if not strategy or not isinstance(first, str):
        return [(POLICY, output)]
    # What the policy wrote first may hold the very words that are put in after it.
    is_continued = strategy != Strategy.SOLUTION and output.startswith(first)
    start = first if is_continued else ""
    rest = output[len(start) :]
    injected = response.get("injected_texts")
    if isinstance(injected, list):
        pieces = _marked(rest, [text for text in injected if isinstance(text, str)])
    elif strategy == Strategy.REFLECTION and is_continued and reflection_text:
        pieces = _marked(rest, [reflection_text] * rest.count(reflection_text))
    else:
        is_all_injected = strategy == Strategy.SOLUTION or (strategy == Strategy.ANSWER and is_continued)
        pieces = [(INJECTED if is_all_injected else POLICY, rest)]
    return [piece for piece in ((POLICY, start), *pieces) if piece[1]]


def _marked(text: str, injected: Sequence[str]) -> list[Piece]:
    """Return the text in pieces; the injected ones are looked for in their order, the last of them from the end."""
    pieces: list[Piece] = []
    for number, piece in enumerate(injected):
        is_last = number == len(injected) - 1
        # A decoder can change a blank at an edge, so that a piece may not be found: then it is left unmarked.
        start = text.rfind(piece) if is_last and text.endswith(piece) else text.find(piece)
        if piece and start >= 0:
            pieces += [(POLICY, text[:start]), (INJECTED, piece)]
            text = text[start + len(piece) :]
    return [piece for piece in (*pieces, (POLICY, text)) if piece[1]]
