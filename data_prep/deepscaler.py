r"""Writes train.parquet from DeepScaleR, from a subset of it such as the EDGE-GRPO paper's, or from your own problems.

    python -m data_prep.deepscaler --input SOURCE --output-dir DIR [--instruction TEXT] [--subset random --size 1000]
        [--tokenizer MODEL --max-prompt-tokens 512] [--drop-unverified] …          (--help lists all options)

SOURCE is a file (.json with a list of objects, .jsonl, .csv, .parquet), a folder of the library `datasets`, or the name
of a dataset on the Hugging Face hub, such as agentica-org/DeepScaleR-Preview-Dataset. It has a problem and an answer in
each row, and optionally a solution, a correctness rate and an index; `--…-column` says what they are called. An answer
that is a list names alternatives, each of which is accepted. A bad row stops the command with its number.

The prompt is the problem alone, as in the paper; `--instruction` appends a text to it, such as "Please reason step by
step, and put your final answer within \boxed{}.". What happens to the rows, in this order:

1. A problem that occurs again with an equal answer is dropped, with different answers all its rows are. The paper
   trained on 1,000 rows of which 10 are such duplicates; `--keep-duplicates` keeps every row.
2. Prompts over `--max-prompt-tokens`, measured with `--tokenizer` and its chat template as verl does, are counted and,
   with `--drop-long-prompts`, dropped. verl drops them itself when `data.filter_overlong_prompts` is true.
3. `--subset hard` keeps the problems whose correctness rate is at most `--max-correctness-rate`. The paper's Hard-1K
   has 782 of rate 0 and 218 of rate 1/8, so it was not filled from the lowest rate upwards; the default is 1/8.
4. The verifier of the reward grades the answer in a box and the solution, each as a response; with `--drop-unverified`,
   a row of which it accepts only one or none is dropped. A row without solution stays if its answer is accepted.
5. `--size` draws so many at random by `--seed` (`selection.draw_random` says how). The paper's Random-1K is not
   published; `--subset random --size 1000` is another one.

Beside train.parquet it writes README.md, a dataset card with the options, what was dropped and the SHA-256 of the file.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from data_prep.preparation import prepare
from data_prep.sampling.options import positive
from data_prep.sources.problems import MAX_FIELD_CHARACTERS


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = _make_parser()
    options = parser.parse_args(arguments)
    _check_combinations(parser, options)
    try:
        summary = prepare(options)
    except (OSError, ValueError, RuntimeError) as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    print(f"{options.output_dir / 'train.parquet'}\n\n{summary}")


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m data_prep.deepscaler",
        description="Turn mathematical problems into training data for verl.",
    )
    parser.add_argument("--input", required=True, help="file, folder, or name of a dataset on the Hugging Face hub")
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--instruction", default="", help="text to append to every problem (default: none)")
    parser.add_argument("--data-source", default="deepscaler", help="what verl calls them (default: %(default)s)")

    source = parser.add_argument_group("what the input looks like")
    source.add_argument("--problem-column", default="problem", help="(default: %(default)s)")
    source.add_argument("--answer-column", default="answer", help="(default: %(default)s)")
    source.add_argument("--solution-column", help="(default: solution, if there is one)")
    source.add_argument("--rate-column", help="(default: correctness_rate, if there is one)")
    source.add_argument("--index-column", help="unique integers to take over (default: rows are numbered from 0)")
    source.add_argument("--split", default="train", help="of a Hugging Face dataset (default: %(default)s)")
    source.add_argument("--config", help="of a Hugging Face dataset that has several")
    source.add_argument(
        "--max-field-characters",
        type=positive,
        default=MAX_FIELD_CHARACTERS,
        metavar="N",
        help="refuse longer texts (default: %(default)s)",
    )

    rows = parser.add_argument_group("which rows are kept")
    rows.add_argument("--keep-duplicates", action="store_true", help="keep all rows of a problem, as the paper did")
    rows.add_argument("--subset", choices=("all", "random", "hard"), default="all", help="(default: all)")
    rows.add_argument("--size", type=positive, help="of the subset: so many are drawn")
    rows.add_argument("--seed", type=int, default=0, help="of the draw (default: %(default)s)")
    rows.add_argument("--max-correctness-rate", type=float, default=0.125, help="of --subset hard (default: 1/8)")
    rows.add_argument("--no-verification", action="store_true", help="do not grade answers and solutions")
    rows.add_argument("--drop-unverified", action="store_true", help="drop rows whose answer or solution fails")

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
    if options.drop_unverified and options.no_verification:
        parser.error("--drop-unverified and --no-verification exclude each other")


if __name__ == "__main__":
    main()
