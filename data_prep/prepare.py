r"""Turns problems from almost any file or dataset into data for verl: rows that are right, or a message why not.

    python -m data_prep.prepare --input SOURCE [SOURCE …] --output-dir DIR [--preset gsm8k] [--validation-size 200]
        [--exclude data/suite/*.parquet] [--skip-bad-rows] [--drop-unverified] …          (--help lists all options)

SOURCE is a file (.json, .jsonl, .csv, .tsv, .parquet, .arrow, some of them with .gz), a glob, a folder of such files, a
folder of the library `datasets`, or the name of a dataset on the Hugging Face hub (`--split train[:1000]`).

A preset (`data_prep/presets/table.py`) says where a dataset keeps problem, answer and solution, and how they are
written there. Without one, the columns are `problem`, `answer` and, if they are there, `solution` and
`correctness_rate`; `--…-column` names others, by paths such as `reward_model.ground_truth` or `messages[-1].content`.
An answer that is a list names alternatives, each of which is accepted.

The prompt is the problem, without the dataset's own words on the form of the answer, and then the preset's instruction:
to put the answer into a box, which is what the reward reads; `--instruction` has another, and `--instruction ""` none.

What happens to the rows, in this order:

1. A row that cannot be used (no answer, an image, choices that would be lost, an answer that is no final answer, such
   as a whole rationale or "proof") stops the command; with `--skip-bad-rows` such rows are left out and counted.
2. A problem that occurs again with an equal answer is dropped, with different answers all its rows are. Texts are
   compared with white space and Unicode forms folded. The paper trained on 1,000 rows of which 10 are such duplicates;
   `--keep-duplicates` keeps every row.
3. Problems that occur in one of the files of `--exclude`, such as benchmarks, are dropped.
4. Prompts over `--max-prompt-tokens`, measured with `--tokenizer` and its chat template as verl does, are counted and,
   with `--drop-long-prompts`, dropped. verl drops them itself when `data.filter_overlong_prompts` is true.
5. `--subset hard` keeps the problems whose correctness rate is at most `--max-correctness-rate`. The paper's Hard-1K
   has 782 of rate 0 and 218 of rate 1/8, so it was not filled from the lowest rate upwards; the default is 1/8.
6. The reward grades each answer as the prompt asks for it, an altered answer, which must be wrong, and the solution
   (`quality/verification.py`). If most rows fail, the command does; with `--drop-unverified` every row that fails is
   dropped.
7. `--size` draws so many at random by `--seed` (`selection.draw_random` says how). The paper's Random-1K is not
   published; `--subset random --size 1000` is another one.
8. `--validation-size` holds out so many rows for validation, none of which has its problem in the training file.

The ground truth is a text, or, if any problem accepts several answers or with `--list-answers`, a list in all rows:
verl reads several files together only if they agree, and those of `eval_suite` have lists.

It writes train.parquet (under the name of another `--split`), validation.parquet for rows that are held out, and
README.md, a dataset card with the options, what was dropped and the SHA-256 of the files.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from data_prep.preparation import VALIDATION, prepare, split_name
from data_prep.presets.table import PRESETS
from data_prep.problems.reading import MAX_FIELD_CHARACTERS
from data_prep.sampling.options import positive

_COLUMNS = {
    "problem": "where the problem is (default: the preset's place, or problem)",
    "answer": "the answer, or a list of accepted ones (default: the preset's place, or answer)",
    "solution": "the reference solution (default: the preset's place, or solution, if there is one)",
    "rate": "share of a model's responses that were right (default: correctness_rate, if there is one)",
    "index": "unique integers to take over (default: rows are numbered from 0)",
}


def main(arguments: Sequence[str] | None = None, command: str = "prepare", preset: str | None = None) -> None:
    """Run the command, or another `command` that is one of its presets."""
    parser = _make_parser(command, preset)
    options = parser.parse_args(arguments)
    _check_combinations(parser, options)
    try:
        files, summary = prepare(options, command)
    except (OSError, ValueError, RuntimeError) as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    print("\n".join(str(options.output_dir / file) for file in files), summary, sep="\n\n")


def _make_parser(command: str, preset: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m data_prep.{command}",
        description="Turn mathematical problems into training data for verl.",
        epilog="\n".join(["presets:", *(f"  {name:18} {each.described}" for name, each in PRESETS.items())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,  # a line for each preset
    )
    parser.add_argument(
        "--input", required=True, nargs="+", metavar="SOURCE", help="files, globs, folders, or a dataset on the hub"
    )
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--preset", choices=PRESETS, default=preset, help="(default: %(default)s)")
    parser.add_argument("--instruction", help="text to append to every problem (default: the preset's)")
    parser.add_argument("--data-source", help="what verl calls them (default: the preset's, or the name of the file)")

    parser.add_argument(
        "--list-answers", action="store_true", help="write every reference answer as a list, for use beside such files"
    )

    source = parser.add_argument_group("what the input looks like")
    for column, described in _COLUMNS.items():
        source.add_argument(f"--{column}-column", metavar="PATH", help=described)
    source.add_argument("--with-thinking", action="store_true", help="keep <think>…</think> in solutions")
    source.add_argument("--split", help="of a dataset or folder, also a slice: test, train[:1000] (default: train)")
    source.add_argument("--config", help="of a Hugging Face dataset that has several")
    source.add_argument("--encoding", default="utf-8", help="of texts (default: %(default)s)")
    source.add_argument(
        "--max-field-characters",
        type=positive,
        default=MAX_FIELD_CHARACTERS,
        metavar="N",
        help="refuse longer texts (default: %(default)s)",
    )

    rows = parser.add_argument_group("which rows are kept")
    rows.add_argument("--skip-bad-rows", action="store_true", help="leave out and count rows that cannot be used")
    rows.add_argument("--exclude", nargs="+", default=[], metavar="SOURCE", help="drop problems that occur there too")
    rows.add_argument("--validation-size", type=positive, help="hold out so many rows for validation")
    rows.add_argument("--keep-duplicates", action="store_true", help="keep all rows of a problem, as the paper did")
    rows.add_argument("--subset", choices=("all", "random", "hard"), default="all", help="(default: all)")
    rows.add_argument("--size", type=positive, help="of the subset: so many are drawn")
    rows.add_argument("--seed", type=int, default=0, help="of the draw (default: %(default)s)")
    rows.add_argument("--max-correctness-rate", type=float, default=0.125, help="of --subset hard (default: 1/8)")
    rows.add_argument("--no-verification", action="store_true", help="do not grade what the rows say is right")
    rows.add_argument("--drop-unverified", action="store_true", help="drop every row that the check does not pass")

    lengths = parser.add_argument_group("lengths in tokens")
    lengths.add_argument("--tokenizer", help="of the model to train: a folder or a name on the hub")
    lengths.add_argument("--max-prompt-tokens", type=positive, help="count the prompts that are longer")
    lengths.add_argument("--drop-long-prompts", action="store_true", help="and drop them")
    return parser


def _check_combinations(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.subset == "random" and options.size is None:
        parser.error("--subset random needs --size")
    if options.subset == "all" and options.size is not None:
        parser.error("--size needs --subset random or --subset hard")
    if options.max_prompt_tokens and not options.tokenizer:
        parser.error("--max-prompt-tokens needs --tokenizer")
    if options.drop_long_prompts and not options.max_prompt_tokens:
        parser.error("--drop-long-prompts needs --max-prompt-tokens")
    if options.validation_size and split_name(options) == VALIDATION:
        parser.error(f"--validation-size holds out rows of a training split, and --split is {options.split}")
    if options.drop_unverified and options.no_verification:
        parser.error("--drop-unverified and --no-verification exclude each other")


if __name__ == "__main__":
    main()
