r"""Writes the paper's evaluation suite: aime24, amc, math500, minerva and olympiad_bench, one Parquet file each.

    python -m data_prep.eval_suite --input SOURCE --output-dir DIR [--instruction TEXT]

SOURCE is the folder `evaluation_suite` of the authors' repository (the same as in sail-sg/understand-r1-zero), or
another folder or the name of a dataset on the Hugging Face hub that has the five benchmarks as splits.

The prompt is the problem alone; `--instruction` appends a text to it. The name of the file is the row's `data_source`,
under which verl reports the benchmark apart from the others. The ground truth is a list of texts in all five, because
Minerva has problems with several accepted answers, and verl joins validation files only if their columns have the same
types: `data.val_files=[DIR/aime24.parquet,DIR/amc.parquet,…]`. A list means alternatives, as in the authors'
evaluation; where all of several values are asked for, as in OlympiadBench, they are one answer, such as `1,3,5`.

Beside them it writes README.md, a dataset card with row counts and the SHA-256 of each file.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from data_prep.problem_rows import ProblemRows
from data_prep.problems.reading import MathProblem, read_problems
from data_prep.quality.answer_kinds import KINDS, kind_of
from data_prep.quality.verification import verify_references
from data_prep.sources.hub import find_split, load_splits
from data_prep.sources.records import LocatedRecord, Record
from data_prep.writing.card import Card, describe_source, write_dataset
from data_prep.writing.markdown import aligned_table


@dataclass(frozen=True)
class Benchmark:
    """The splits that a benchmark may be called in a source, and its number of problems in the paper."""

    split_names: tuple[str, ...]
    num_problems: int


BENCHMARKS = {
    "aime24": Benchmark(("aime24", "aime"), 30),
    "amc": Benchmark(("amc",), 83),
    "math500": Benchmark(("math500", "math"), 500),
    "minerva": Benchmark(("minerva",), 272),
    "olympiad_bench": Benchmark(("olympiad_bench",), 675),
}


def read_benchmarks(source: str) -> dict[str, list[MathProblem]]:
    """Read the problems of each benchmark, in the order of `BENCHMARKS`.

    Raises ValueError, naming `source` and the benchmark, for one that is missing or has a row that cannot be used.
    """
    splits = load_splits(source)
    return {
        name: _read_benchmark(find_split(splits, benchmark.split_names, source), f"{source}, {name}")
        for name, benchmark in BENCHMARKS.items()
    }


def _read_benchmark(records: Iterable[Record], source: str) -> list[MathProblem]:
    reading = read_problems(LocatedRecord(record, source, row) for row, record in enumerate(records, start=1))
    reading.refuse_bad_rows()
    return reading.problems


def summarise(problems_by_name: Mapping[str, Sequence[MathProblem]]) -> str:
    """Return a table of the benchmarks: problems, accepted answers, what the verifier makes of them, answer kinds."""
    rows: list[list[object]] = []
    for name, problems in problems_by_name.items():
        kinds = Counter(kind_of(problem.answers[0]) for problem in problems)
        num_alternatives = sum(len(problem.answers) > 1 for problem in problems)
        num_accepted = verify_references(problems).num_accepted_answers
        rows.append([name, len(problems), BENCHMARKS[name].num_problems, num_alternatives, num_accepted])
        rows[-1] += [kinds[kind] for kind in KINDS]
    total: list[object] = ["all", *(sum(column) for column in zip(*(row[1:] for row in rows), strict=True))]
    header = ["benchmark", "problems", "in the paper", "several accepted", "answers accepted", *KINDS]
    return aligned_table([header, *rows, total])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m data_prep.eval_suite", description="Convert the evaluation suite.")
    parser.add_argument("--input", required=True, help="folder, or name of a dataset on the Hugging Face hub")
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--instruction", default="", help="text to append to every problem (default: none)")
    options = parser.parse_args(arguments)
    try:
        problems_by_name = read_benchmarks(options.input)
        summary = summarise(problems_by_name)
        write_dataset(
            options.output_dir,
            {
                f"{name}.parquet": ProblemRows(problems, "test", options.instruction, name, has_lists=True)
                for name, problems in problems_by_name.items()
            },
            Card(
                command="eval_suite",
                options={"input": describe_source(options.input), "instruction": options.instruction},
                sections=[summary],
            ),
        )
    except (OSError, ValueError, RuntimeError) as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    print(f"{options.output_dir}\n\n{summary}")


if __name__ == "__main__":
    main()
