"""Runs a study: methods x tasks x seeds in the laboratory, on all cores, and some of them in verl.

    python -m recipe.edge_grpo.laboratory.study --output-dir runs/study [--records DIR] [--plan FILE] [--workers N]

First each method is trained on each task with each learning rate of one grid, on seeds of their own; then, with the
rate whose last validation was best, on the seeds of the study; then verl trains some of them. What is recorded in
`runs.jsonl` of the folder of records is not run again: a study that was stopped goes on with the same command, and on
another machine with its records. Runs are in OUTPUT_DIR/TASK/lr-RATE/METHOD-seed-N, as
`python -m recipe.edge_grpo.report` reads them.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from recipe.edge_grpo.laboratory.study.answers import claims_table
from recipe.edge_grpo.laboratory.study.plan_file import PLAN, read_study
from recipe.edge_grpo.laboratory.study.results import Results
from recipe.edge_grpo.laboratory.study.runner import Workplace, run_study
from recipe.edge_grpo.laboratory.study.tables import confirmation_table, methods_table, origin_sentence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.edge_grpo.laboratory.study", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--records", type=Path, help="folder of runs.jsonl (default: the output folder)")
    parser.add_argument("--plan", type=Path, default=PLAN, help="(default: study.yaml of this package)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="runs at a time (default: one a core)")
    options = parser.parse_args(arguments)
    try:
        study = read_study(options.plan)
        place = Workplace(options.output_dir, options.records or options.output_dir, options.workers)
        results = Results(study, run_study(study, place))
    except (OSError, ValueError, RuntimeError) as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    tables = [origin_sentence(results), *(f"{task}\n{methods_table(results, task)}" for task in study.tasks)]
    print("\n\n".join([*tables, confirmation_table(results), claims_table(results)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
