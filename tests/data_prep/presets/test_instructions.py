"""Known instructions are taken away from both ends of a problem, and from nowhere else."""

import pytest

from data_prep.presets.instructions import BOX_INSTRUCTION, KNOWN_INSTRUCTIONS, strip_instructions

PROBLEM = "What is $1+1$?\nGive  a number."


@pytest.mark.parametrize("instruction", KNOWN_INSTRUCTIONS)
@pytest.mark.parametrize("space", [" ", "\n", "\n\n \t"])
def test_every_known_instruction_goes_from_both_ends(instruction, space):
    assert strip_instructions(f"{instruction}{space}{PROBLEM}") == PROBLEM
    assert strip_instructions(f"{PROBLEM}{space}{instruction}\n") == PROBLEM
    assert strip_instructions(f"{PROBLEM}{instruction}") == PROBLEM


@pytest.mark.parametrize(
    "text",
    [
        rf"{PROBLEM} Please reason step by step, and put your final answer within \boxed{{}}",
        f"{PROBLEM} let’s think step by step\nand output the final answer after “####”",
        f"{BOX_INSTRUCTION}\n\n{KNOWN_INSTRUCTIONS[1]} {PROBLEM}\n{KNOWN_INSTRUCTIONS[2]}\n{BOX_INSTRUCTION}\n",
        f"{KNOWN_INSTRUCTIONS[3]}\n\n{PROBLEM}\n\n{KNOWN_INSTRUCTIONS[5]}",
        f"{KNOWN_INSTRUCTIONS[3].replace('$Answer', '$ANSWER')}\n\n{PROBLEM}\n\n{KNOWN_INSTRUCTIONS[6]}",
    ],
)
def test_spelling_spaces_and_number_do_not_matter(text):
    assert strip_instructions(text) == PROBLEM


@pytest.mark.parametrize(
    "text",
    [
        PROBLEM,
        f"  {PROBLEM} \n",
        "",
        f"Tom says: {BOX_INSTRUCTION} What does he mean?",
        "Let's think step by step. What is 1+1?",
        "Put your final answer within the box.",
        "Remember to put your answer on its own line",
    ],
)
def test_what_is_no_instruction_at_an_end_stays_as_it_is(text):
    assert strip_instructions(text) == text


def test_of_an_instruction_alone_nothing_is_left():
    assert strip_instructions(f" {BOX_INSTRUCTION} {BOX_INSTRUCTION}") == ""


def test_a_long_problem_takes_no_long_time():
    text = ("Please reason " + " " * 1000) * 1000 + "Let's think" * 10_000
    assert strip_instructions(text) == text
