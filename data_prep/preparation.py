"""Does what `data_prep.deepscaler` does to the rows of its input, step by step."""

import argparse
from collections.abc import Sequence
from typing import Any

from data_prep.quality import summary
from data_prep.quality.selection import Selection, draw_random, find_easy, find_repetitions
from data_prep.quality.token_lengths import load_tokenizer, prompt_lengths, text_lengths
from data_prep.quality.verification import have_equal_answers, verify_references
from data_prep.sources.problems import Columns, MathProblem, read_problems
from data_prep.sources.records import read_records
from data_prep.writing.card import Card, describe_source, write_dataset
from data_prep.writing.rows import Row, build_row


def prepare(options: argparse.Namespace) -> str:
    """Run the steps that `deepscaler` describes, with its options, and write the files; returns the summary.

    Raises OSError, ValueError or RuntimeError, in which case nothing has been written.
    """
    problems = _read(options)
    selection = Selection(problems)
    if not options.keep_duplicates:
        duplicates, contradictions = find_repetitions(problems, have_equal_answers)
        selection.drop("duplicate", duplicates)
        selection.drop("same problem, different answers", contradictions)
    sections: list[str] = []
    tokenizer = load_tokenizer(options.tokenizer) if options.tokenizer else None
    if options.max_prompt_tokens:
        sections.append(_limit_prompts(selection, tokenizer, options))
    if options.subset == "hard":
        selection.drop("not hard", find_easy(selection.problems, options.max_correctness_rate))
    if options.drop_unverified:
        sections.append(_verify(selection, options))
    if options.size is not None:
        drawn = {problem.row_number for problem in draw_random(selection.problems, options.size, options.seed)}
        selection.drop("not drawn", {problem.row_number for problem in selection.problems} - drawn)
    if not options.drop_unverified and not options.no_verification:
        sections.append(_verify(selection, options))
    rows_in_and_out = summary.row_table(len(problems), selection.dropped_rows, len(selection.problems))
    if not selection.problems:
        raise ValueError(f"no rows are left\n\n{rows_in_and_out}")
    sections = [rows_in_and_out, *sections, summary.answer_table(selection.problems)]
    if tokenizer is not None:
        sections.append(_lengths(selection.problems, tokenizer, options.instruction))
    rows = build_rows(selection.problems, options.data_source, options.instruction)
    write_dataset(options.output_dir, {"train.parquet": rows}, Card("deepscaler", _for_card(options), sections))
    return "\n\n".join(sections)


def build_rows(problems: Sequence[MathProblem], data_source: str, instruction: str = "") -> list[Row]:
    """Build the rows of one file; without indices of the input's own, rows are numbered from 0.

    The ground truth is a text, or, if any problem accepts several answers, a list of texts in all rows.
    """
    have_alternatives = any(len(problem.answers) > 1 for problem in problems)
    have_rates = any(problem.correctness_rate is not None for problem in problems)
    return [
        build_row(
            data_source=data_source,
            problem=problem.prompt(instruction),
            answer=problem.answers if have_alternatives else problem.answers[0],
            solution=problem.solution,
            index=position if problem.index is None else problem.index,
            split="train",
            **({"correctness_rate": problem.correctness_rate} if have_rates else {}),
        )
        for position, problem in enumerate(problems)
    ]


def _read(options: argparse.Namespace) -> list[MathProblem]:
    columns = Columns(
        problem=options.problem_column,
        answer=options.answer_column,
        solution=options.solution_column or Columns.solution,
        correctness_rate=options.rate_column or Columns.correctness_rate,
        index=options.index_column,
        max_field_characters=options.max_field_characters,
    )
    required = [column for column in (options.solution_column, options.rate_column) if column is not None]
    records = read_records(options.input, options.split, options.config)
    return read_problems(records, options.input, columns, required)


def _limit_prompts(selection: Selection, tokenizer: Any, options: argparse.Namespace) -> str:
    lengths = prompt_lengths(tokenizer, [problem.prompt(options.instruction) for problem in selection.problems])
    too_long = {
        problem.row_number
        for problem, length in zip(selection.problems, lengths, strict=True)
        if length > options.max_prompt_tokens
    }
    limit = f"{options.max_prompt_tokens:,} tokens"
    if options.drop_long_prompts:
        selection.drop(f"prompt over {limit}", too_long)
    fate = "dropped" if options.drop_long_prompts else "kept"
    return f"Prompts over {limit}: {len(too_long):,} of {len(lengths):,}, {fate}."


def _verify(selection: Selection, options: argparse.Namespace) -> str:
    verification = verify_references(selection.problems, options.instruction)
    if options.drop_unverified:
        dropped: set[int] = set()
        for kind, failed in verification.failures.items():
            if failed - dropped:
                selection.drop(kind, failed - dropped)
                dropped |= failed
    return summary.verification_table(verification)


def _lengths(problems: Sequence[MathProblem], tokenizer: Any, instruction: str) -> str:
    solutions = [problem.solution for problem in problems if problem.solution]
    return summary.length_table(
        {
            "prompt": prompt_lengths(tokenizer, [problem.prompt(instruction) for problem in problems]),
            "solution": text_lengths(tokenizer, solutions),
        }
    )


def _for_card(options: argparse.Namespace) -> dict[str, object]:
    """Return the options that were set, without the folders of this machine."""
    described = dict(vars(options), input=describe_source(options.input))
    if options.tokenizer:
        described["tokenizer"] = describe_source(options.tokenizer)
    is_set = {name: value is not None and value is not False and value != "" for name, value in described.items()}
    return {name: value for name, value in described.items() if is_set[name] and name != "output_dir"}
