"""Rows in the schemas of published datasets, each with what a preset must make of it.

Columns, nesting and odd values are those of the dataset cards; the problems are our own. A new dataset: a maker of rows
in published_columns.py or published_prompts.py, and a line here.
"""

from support import published_columns as columns
from support import published_prompts as prompts
from support.problems_as_published import WORD_PROBLEMS
from support.published_rows import UNANSWERABLE, PublishedRow, bad, make

__all__ = ["PUBLISHED", "UNANSWERABLE", "VARIANTS", "PublishedRow"]

IMAGE_PROBLEM = "What is the area of the triangle in <image>?"


def rows_with_image(rows: list[PublishedRow], column: str) -> list[PublishedRow]:
    """The rows, and one more whose problem, in `column`, refers to an image."""
    return [*rows, bad(rows[0], "image", **{column: IMAGE_PROBLEM})]


def openr1() -> list[PublishedRow]:
    rows = rows_with_image(make(columns.openr1), "problem")
    return [*rows, bad(rows[1], UNANSWERABLE, answer="notfound")]


def numina_1_5() -> list[PublishedRow]:
    rows = rows_with_image(make(columns.numina_1_5), "problem")
    picture = "Find $x$. ![](https://cdn.mathpix.com/cropped/2024_11_21-01.jpg?height=385&width=526)"
    return [
        *rows,
        bad(rows[1], UNANSWERABLE, answer="proof", question_type="proof"),
        bad(rows[2], UNANSWERABLE, answer="notfound"),
        bad(rows[3], "marked invalid", problem_is_valid="Incomplete"),
        bad(rows[5], "image", problem=picture),
    ]


def openmathreasoning() -> list[PublishedRow]:
    rows = make(columns.openmathreasoning)
    return [*rows, bad(rows[3], "no answer", expected_answer="n/a", problem_type="no_answer_extracted")]


def mmlu_pro() -> list[PublishedRow]:
    rows = rows_with_image(make(columns.mmlu_pro), "question")
    return [
        *rows,
        bad(rows[0], "no options", options=[]),
        bad(rows[1], "no such option", answer="J", answer_index=9),
        bad(rows[1], "no such option", answer="E", answer_index=4),  # An option that is N/A.
        bad(rows[2], "contradiction", answer="A"),
    ]


def gsm8k() -> list[PublishedRow]:
    rows = rows_with_image(make(columns.gsm8k, WORD_PROBLEMS), "question")
    return [*rows, bad(rows[0], "no answer", answer="She sold 72 clips.")]


def messages() -> list[PublishedRow]:
    rows = make(prompts.messages)
    chat = rows[0].record["messages"]
    return [*rows, bad(rows[0], "several turns", messages=chat * 2), bad(rows[0], "no answer", messages=chat[:1])]


def big_math() -> list[PublishedRow]:
    rows = make(columns.big_math)
    return [*rows, bad(rows[0], "no answer", answer=None)]


def chats_with_image(rows: list[PublishedRow]) -> list[PublishedRow]:
    """The rows, and one more whose prompt refers to an image."""
    *others, last = rows[0].record["prompt"]
    return [*rows, bad(rows[0], "image", prompt=[*others, {**last, "content": IMAGE_PROBLEM}])]


def numina_cot() -> list[PublishedRow]:
    rows = make(columns.numina_cot)
    return [*rows, bad(rows[0], "no answer", solution="We proceed by induction, and are done.")]


PUBLISHED: dict[str, list[PublishedRow]] = {
    "gsm8k": gsm8k(),
    "math": rows_with_image(make(columns.math), "problem"),
    "deepscaler": rows_with_image(make(columns.deepscaler), "problem"),
    "dapo": chats_with_image(make(prompts.dapo)),
    "openr1": openr1(),
    "numina": numina_cot(),
    "big_math": big_math(),
    "deepmath": rows_with_image(make(columns.deepmath), "question"),
    "openmathreasoning": openmathreasoning(),
    "orz": [*make(prompts.orz), bad(make(prompts.orz)[0], "image", **{"0": {"from": "human", "value": IMAGE_PROBLEM}})],
    "skywork": chats_with_image(make(prompts.skywork)),
    "luffy": chats_with_image(make(prompts.luffy)),
    "omni_math": rows_with_image(make(columns.omni_math), "problem"),
    "mmlu_pro": mmlu_pro(),
    "verl": chats_with_image(make(prompts.verl_gsm8k, WORD_PROBLEMS)),
    "messages": messages(),
}
"""{preset: rows of the first dataset that it reads}"""

VARIANTS: dict[str, tuple[str, list[PublishedRow]]] = {
    "NuminaMath-1.5": ("numina", numina_1_5()),
    "DAPO-Math-17k-Processed": ("dapo", make(prompts.dapo_processed)),
    "Hard-1K": ("deepscaler", make(columns.hard_1k)),
    "verl's example math_dataset.py": ("verl", make(prompts.verl_math)),
    "rows that data_prep wrote": ("verl", make(prompts.own_verl)),
    "OpenThoughts-114k": ("messages", make(prompts.open_thoughts)),
}
"""{further dataset: (the preset that reads it too, its rows)}; a column has another type than in `PUBLISHED`"""
