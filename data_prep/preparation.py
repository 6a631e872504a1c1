"""Does what `data_prep.prepare` does to the rows of its input, step by step."""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from data_prep.presets.paths import check_path
from data_prep.presets.table import COLUMNS_PRESET, PRESETS, Preset
from data_prep.problem_rows import ProblemRows
from data_prep.problems.excluded import read_excluded_texts
from data_prep.problems.golds import GOLD_FAULTS
from data_prep.problems.reading import MathProblem, Reading, read_problems
from data_prep.quality import summary
from data_prep.quality.selection import (
    Selection,
    draw_random,
    draw_validation,
    find_easy,
    find_overlap,
    find_repetitions,
)
from data_prep.quality.token_lengths import load_tokenizer, prompt_lengths, text_lengths
from data_prep.quality.verification import ANOTHER_FORM, have_equal_answers, too_faulty, verify_references
from data_prep.sources.records import read_located
from data_prep.sources.shards import DEFAULT_SPLIT
from data_prep.writing.card import Card, describe_source, write_dataset

FIELD_OF_OPTION = {
    "problem_column": "problem",
    "answer_column": "answer",
    "solution_column": "solution",
    "rate_column": "correctness_rate",
    "index_column": "index",
}
"""{option: the field of the preset whose place it names}."""

VALIDATION = "validation"


def prepare(options: argparse.Namespace, command: str) -> tuple[list[str], str]:
    """Run the steps that `prepare` describes, with its options, and write the files.

    Returns the names of the files and the summary. Raises OSError, ValueError or RuntimeError, in which case nothing
    has been written. `command` is the module of `data_prep` that the card names.
    """
    preset = _preset(options)
    instruction = preset.instruction if options.instruction is None else options.instruction
    reading = _read(options, preset)
    selection = Selection(reading.problems)
    for reason, rows in reading.bad_rows.items():
        selection.drop(reason, rows)
    tokenizer = load_tokenizer(options.tokenizer) if options.tokenizer else None
    sections = _select(selection, options, instruction, tokenizer)
    held_out = _hold_out(selection, options)
    sections.insert(0, summary.row_table(reading.num_rows, selection.dropped_rows, len(selection.problems)))
    if reading.num_system_texts:
        sections.append(f"System messages left out: {reading.num_system_texts:,}.")
    if not selection.problems:
        raise ValueError(f"no rows are left\n\n{sections[0]}")
    sections.append(summary.answer_table(selection.problems))
    if tokenizer is not None:
        sections.append(_lengths(selection.problems, tokenizer, instruction))
    problems_by_split = {split_name(options): selection.problems} | ({VALIDATION: held_out} if held_out else {})
    rows_by_file = _build_files(problems_by_split, instruction, options)
    write_dataset(options.output_dir, rows_by_file, Card(command, _for_card(options), sections))
    return list(rows_by_file), "\n\n".join(sections)


def split_name(options: argparse.Namespace) -> str:
    """Return the name of the split that is read, without its slice; the file of the rows is named for it."""
    return (options.split or DEFAULT_SPLIT).partition("[")[0]


def _build_files(
    problems_by_split: Mapping[str, Sequence[MathProblem]], instruction: str, options: argparse.Namespace
) -> dict[str, ProblemRows]:
    """Return the rows of each file; all have the same columns, so that verl can read them together."""
    problems = [problem for each in problems_by_split.values() for problem in each]
    has_lists = options.list_answers or any(len(problem.answers) > 1 for problem in problems)
    return {
        f"{split}.parquet": ProblemRows(each, split, instruction, options.data_source, has_lists, has_rates=True)
        for split, each in problems_by_split.items()
    }


def _preset(options: argparse.Namespace) -> Preset:
    """Return the preset with the columns that options name in the place of its own."""
    preset = PRESETS[options.preset] if options.preset else COLUMNS_PRESET
    for option, field in FIELD_OF_OPTION.items():
        path = getattr(options, option)
        if path is not None:
            check_path(path)
            preset = preset.read_at(field, path)
    return preset.with_thinking() if options.with_thinking else preset


def _read(options: argparse.Namespace, preset: Preset) -> Reading:
    required = [field for option, field in FIELD_OF_OPTION.items() if getattr(options, option) is not None]
    records = read_located(options.input, options.split, options.config, options.encoding)
    reading = read_problems(records, preset, required, options.max_field_characters)
    if not options.skip_bad_rows:
        reading.refuse_bad_rows(allowed_reasons=GOLD_FAULTS if options.drop_unverified else ())
    return reading


def _select(selection: Selection, options: argparse.Namespace, instruction: str, tokenizer: Any) -> list[str]:
    """Drop problems by the steps 2 to 7, and return sections on prompts and on the check."""
    sections: list[str] = []
    if not options.keep_duplicates:
        duplicates, contradictions = find_repetitions(selection.problems, have_equal_answers)
        selection.drop("duplicate", duplicates)
        selection.drop("same problem, different answers", contradictions)
    if options.exclude:
        excluded = read_excluded_texts(options.exclude, options.encoding)
        selection.drop("in an excluded file", find_overlap(selection.problems, excluded))
    if options.max_prompt_tokens:
        sections.append(_limit_prompts(selection, tokenizer, options, instruction))
    if options.subset == "hard":
        selection.drop("not hard", find_easy(selection.problems, options.max_correctness_rate))
    if options.drop_unverified:
        sections.append(_verify(selection, instruction, should_drop=True))
    if options.size is not None:
        drawn = {problem.row_number for problem in draw_random(selection.problems, options.size, options.seed)}
        selection.drop("not drawn", {problem.row_number for problem in selection.problems} - drawn)
    if not options.drop_unverified and not options.no_verification:
        sections.append(_verify(selection, instruction, should_drop=False))
    return sections


def _hold_out(selection: Selection, options: argparse.Namespace) -> list[MathProblem]:
    if options.validation_size is None:
        return []
    row_numbers = draw_validation(selection.problems, options.validation_size, options.seed)
    held_out = [problem for problem in selection.problems if problem.row_number in row_numbers]
    selection.drop("held out for validation", row_numbers)
    return held_out


def _limit_prompts(selection: Selection, tokenizer: Any, options: argparse.Namespace, instruction: str) -> str:
    lengths = prompt_lengths(tokenizer, [problem.prompt(instruction) for problem in selection.problems])
    too_long = {
        problem.row_number
        for problem, length in zip(selection.problems, lengths, strict=True)
        if length > options.max_prompt_tokens
    }
    limit = f"{options.max_prompt_tokens:,} tokens"
    if len(too_long) == len(lengths) > 0:
        raise ValueError(
            f"all {len(lengths):,} prompts have more than --max-prompt-tokens {options.max_prompt_tokens} tokens, the "
            f"shortest {min(lengths):,}; raise it, and data.max_prompt_length of the training run with it"
        )
    if options.drop_long_prompts:
        selection.drop(f"prompt over {limit}", too_long)
    fate = "dropped" if options.drop_long_prompts else "kept"
    return f"Prompts over {limit}: {len(too_long):,} of {len(lengths):,}, {fate}."


def _verify(selection: Selection, instruction: str, should_drop: bool) -> str:
    verification = verify_references(selection.problems, instruction)
    if should_drop:
        for kind, row_numbers in verification.failures.items():
            left = row_numbers & {problem.row_number for problem in selection.problems}
            if left:  # Each row counts once.
                selection.drop(kind, left)
        return summary.verification_table(verification)
    if (fault := too_faulty(verification)) is not None:
        raise ValueError(f"{fault}; name the preset or the columns that these rows need, or add --drop-unverified")
    if len(verification.failures[ANOTHER_FORM]) == len(verification.checked) > 0:
        raise ValueError(
            f"all {len(verification.checked):,} prompts ask for the answer in a form that the reward does not read; "
            "ask for a box in --instruction"
        )
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
    described = dict(vars(options))
    for name in ("input", "exclude"):
        described[name] = ", ".join(map(describe_source, described[name]))
    if options.tokenizer:
        described["tokenizer"] = describe_source(options.tokenizer)
    is_set = {name: value is not None and value is not False and value != "" for name, value in described.items()}
    return {name: value for name, value in described.items() if is_set[name] and name != "output_dir"}
