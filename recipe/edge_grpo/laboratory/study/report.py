"""Rebuilds the tables and figures of a study from its records, in the documents that have them.

    python -m recipe.edge_grpo.laboratory.study.report [--records docs/study] [--documents docs/study.md README.md]
        [--plan FILE]

What stands in a document between `<!-- study: NAME -->` and `<!-- end -->` is replaced, and the figures are written
beside the records: the same records give the same bytes.
"""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from recipe.edge_grpo.laboratory.study.answers import claims_table, verdict_lines
from recipe.edge_grpo.laboratory.study.beside import curves_table, ends_table
from recipe.edge_grpo.laboratory.study.claims import EASY, HARD
from recipe.edge_grpo.laboratory.study.figures import draw_accuracy, draw_claims, draw_groups, draw_verl
from recipe.edge_grpo.laboratory.study.plan_file import PLAN, read_study
from recipe.edge_grpo.laboratory.study.records import (
    FIRST_STUDY_FILE,
    OTHER_POLICIES_FILE,
    PRETRAINED_FILE,
    RECORDS_FILE,
    read_records,
)
from recipe.edge_grpo.laboratory.study.results import Results
from recipe.edge_grpo.laboratory.study.tables import (
    confirmation_table,
    learning_rates_table,
    methods_table,
    origin_sentence,
)

BLOCKS: dict[str, Callable[[Results], str]] = {
    "origin": origin_sentence,
    "claims": claims_table,
    "verdicts": verdict_lines,
    "carry": lambda results: methods_table(results, "carry"),
    "carry_hard": lambda results: methods_table(results, "carry_hard"),
    "carry_rare": lambda results: methods_table(results, "carry_rare"),
    "learning rates": learning_rates_table,
    "confirmation": confirmation_table,
    "pretrained": lambda results: curves_table(results.beside[PRETRAINED_FILE]),
    "first study": lambda results: claims_table(first_study(results)),
    "other policies": lambda results: ends_table(results.beside[OTHER_POLICIES_FILE]),
}
"""{name of a block of the document: what stands in it}."""

TASKS_OF_FIRST_STUDY = (EASY, HARD)

FIGURES = {"accuracy.svg": draw_accuracy, "groups.svg": draw_groups, "claims.svg": draw_claims, "verl.svg": draw_verl}

DOCUMENTS = (Path("docs/study.md"), Path("README.md"))

_BLOCK = re.compile(r"(<!-- study: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rebuild(document: str, results: Results) -> str:
    """Return the document with its blocks made anew; raises ValueError for a block of a name that there is not."""

    def block(found: re.Match[str]) -> str:
        if found[2] not in BLOCKS:
            raise ValueError(f"there is no block {found[2]}; there are {', '.join(BLOCKS)}")
        return f"{found[1]}{BLOCKS[found[2]](results)}\n{found[3]}"

    return _BLOCK.sub(block, document)


def first_study(results: Results) -> Results:
    """Return the runs of the first study, which had the same plan without the tasks that came later."""
    tasks = {task: num_steps for task, num_steps in results.study.tasks.items() if task in TASKS_OF_FIRST_STUDY}
    return Results(replace(results.study, tasks=tasks), results.beside[FIRST_STUDY_FILE])


def read_results(records_folder: Path, plan: Path = PLAN) -> Results:
    """Read what is recorded; raises OSError for a plan that is not there, ValueError for what cannot be read."""
    files = (PRETRAINED_FILE, FIRST_STUDY_FILE, OTHER_POLICIES_FILE)
    beside = {name: read_records(records_folder / name).values() for name in files}
    return Results(read_study(plan), read_records(records_folder / RECORDS_FILE).values(), beside)


def write_report(results: Results, documents: Sequence[Path], figures_folder: Path) -> None:
    """Write the documents and the figures."""
    for document in documents:
        document.write_text(rebuild(document.read_text(encoding="utf-8"), results), encoding="utf-8")
    for name, draw in FIGURES.items():
        draw(results, figures_folder / name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.edge_grpo.laboratory.study.report", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--records", type=Path, default=Path("docs/study"), help="folder (default: %(default)s)")
    parser.add_argument("--documents", type=Path, nargs="+", default=DOCUMENTS, help="(default: study.md, README.md)")
    parser.add_argument("--plan", type=Path, default=PLAN, help="(default: study.yaml of this package)")
    options = parser.parse_args(arguments)
    try:
        results = read_results(options.records, options.plan)
        write_report(results, options.documents, options.records)
    except (OSError, ValueError) as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    print(claims_table(results))
    made = f"{', '.join(map(str, options.documents))} and {len(FIGURES)} figures in {options.records}"
    print(f"{made} are made from {len(results.records)} runs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
