"""Writes train.parquet and test.parquet of generated arithmetic problems.

    python -m data_prep.arithmetic --output-dir DIR [--train-size 512] [--test-size 64] [--seed 0] [--test-seed 0]
        [--difficulty easy=0.2,medium=0.4,hard=0.4 | --task carry | --task carry_hard | --task carry_rare]

The tasks are chains of additions and subtractions of one digit; see `carry_problems.py`.

The test split is held out: another `--seed` changes the training split only, so that runs can be measured on the same
problems, and no computation of test.parquet is in train.parquet, not even in other words. No problem text occurs twice.
The same arguments give the same bytes.
"""

import argparse
import random
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from data_prep.arithmetic_problems import LEVELS, Problem, Step
from data_prep.carry_problems import CHAINS, draw_problem_of_any_task
from data_prep.writing.rows import build_row, write_parquet

DEFAULT_SHARES = {"easy": 0.2, "medium": 0.4, "hard": 0.4}

# So many repetitions in a row mean that a difficulty is as good as exhausted.
_MAX_REPETITIONS = 1000


def parse_shares(text: str) -> dict[str, float]:
    """Read `easy=0.2,medium=0.4,hard=0.4` as shares by difficulty; one that is not named has share 0.

    Raises ArgumentTypeError, naming the part at fault, for an unknown or repeated difficulty, a share that is not a
    number from 0 to 1, and shares that do not add up to 1.

    >>> parse_shares("easy=0.25, hard=0.75")
    {'easy': 0.25, 'hard': 0.75}
    """
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = (field.strip() for field in part.partition("="))
        if name not in LEVELS or name in shares:
            raise argparse.ArgumentTypeError(f"{part!r}: expected each of {', '.join(LEVELS)} at most once")
        try:
            shares[name] = float(number)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{part!r}: {number!r} is not a number") from None
        if not 0 <= shares[name] <= 1:
            raise argparse.ArgumentTypeError(f"{part!r}: a share lies between 0 and 1")
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise argparse.ArgumentTypeError(f"{text!r}: the shares add up to {sum(shares.values()):g} instead of 1")
    return shares


def split_by_shares(size: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Divide `size` by `shares`, which add up to 1, in whole numbers that add up to `size`.

    What rounding down leaves over goes to the largest remainders, the first named first.

    >>> split_by_shares(10, {"easy": 0.25, "medium": 0.25, "hard": 0.5})
    {'easy': 3, 'medium': 2, 'hard': 5}
    """
    counts = {name: int(size * share) for name, share in shares.items()}
    by_remainder = sorted(shares, key=lambda name: counts[name] - size * shares[name])
    for name in by_remainder[: size - sum(counts.values())]:
        counts[name] += 1
    return counts


def draw_distinct_problems(
    rng: random.Random, size: int, shares: Mapping[str, float], held_out: Collection[Problem] = ()
) -> list[Problem]:
    """Draw `size` problems in random order, no two with the same text, and none with the steps of one in `held_out`.

    Raises ValueError, naming the difficulty, when it has too few different problems left.
    """
    held_out_steps = {problem.steps for problem in held_out}
    seen_texts: set[str] = set()
    problems = []
    for difficulty, count in split_by_shares(size, shares).items():
        problems += [_draw_new_problem(rng, difficulty, seen_texts, held_out_steps) for _ in range(count)]
    rng.shuffle(problems)
    return problems


def build_rows(problems: Sequence[Problem], split: str) -> list[dict[str, object]]:
    """Build the rows of one split, with the difficulty in `extra_info`."""
    return [
        build_row(
            data_source="carry" if problem.difficulty in CHAINS else "arithmetic",
            problem=problem.text,
            answer=problem.answer,
            solution=problem.solution,
            index=index,
            split=split,
            difficulty=problem.difficulty,
        )
        for index, problem in enumerate(problems)
    ]


def _draw_new_problem(
    rng: random.Random, difficulty: str, seen_texts: set[str], held_out_steps: Collection[tuple[Step, ...]]
) -> Problem:
    for _ in range(_MAX_REPETITIONS):
        problem = draw_problem_of_any_task(rng, difficulty)
        if problem.text not in seen_texts and problem.steps not in held_out_steps:
            seen_texts.add(problem.text)
            return problem
    raise ValueError(f"there are not enough different problems of difficulty {difficulty!r}: ask for fewer")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m data_prep.arithmetic", description="Generate arithmetic problems.")
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--train-size", type=int, default=512)
    parser.add_argument("--test-size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0, help="of the training split (default: 0)")
    parser.add_argument("--test-seed", type=int, default=0, help="of the test split (default: 0)")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--difficulty", type=parse_shares, default=DEFAULT_SHARES, metavar="NAME=SHARE,...")
    kind.add_argument("--task", choices=CHAINS, help="chains of one digit instead")
    options = parser.parse_args(arguments)
    shares = {options.task: 1.0} if options.task else options.difficulty
    try:
        test = draw_distinct_problems(random.Random(options.test_seed), options.test_size, shares)
        train = draw_distinct_problems(random.Random(options.seed), options.train_size, shares, test)
        rows_by_split = {"test": build_rows(test, "test"), "train": build_rows(train, "train")}
        for split, rows in rows_by_split.items():
            path = options.output_dir / f"{split}.parquet"
            write_parquet(rows, path)
            print(f"{path}: {len(rows)} problems, {split_by_shares(len(rows), shares)}")
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
