"""Puts the page together: tables, figures, and the browser of groups in what room they leave."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import jinja2
from markupsafe import Markup

from recipe.edge_grpo.report.metrics_file import RunMetrics
from recipe.edge_grpo.report.page.bundles import Bundle, bundles_of
from recipe.edge_grpo.report.page.drawing import MOST_BUNDLES_WITH_DETAILS, draw_panel, legend_of
from recipe.edge_grpo.report.page.figure import Drawn
from recipe.edge_grpo.report.page.group_browser import BrowserData, browser_data
from recipe.edge_grpo.report.page.overview import (
    notes_with_runs,
    rows_by_run,
    table_of_differences,
    table_of_what_ran,
)
from recipe.edge_grpo.report.page.panel_table import PAGE_PANELS, quantities_with_data
from recipe.edge_grpo.report.page.rollout_figures import draw_rollouts
from recipe.edge_grpo.report.page.rollouts import Rollouts, read_rollouts, with_entropy_by_strategy
from recipe.edge_grpo.report.run_folder import RunFolder
from recipe.edge_grpo.report.table import rows_of_runs

PAGE_FILE = "index.html"
FIGURES_FOLDER = "figures"
MAX_PAGE_BYTES = 10_000_000
MOST_RUNS_AS_COLUMNS = 3
MAX_RUNS_WITH_ROLLOUTS = 6
"""The rollouts of so many runs are read, the first."""

PAGE_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
)


@dataclass(frozen=True)
class Section:
    """One panel on the page."""

    key: str
    title: str
    figures: Sequence[Drawn]


def write_page(runs: Sequence[RunFolder], verdicts: Sequence[str], output_dir: Path) -> Path:
    """Write `index.html`, and its figures as PNG, and return the path of the page.

    Args:
        runs: at least one.
        verdicts: of the runs that have one.
        output_dir: exists.
    """
    png_folder = output_dir / FIGURES_FOLDER
    png_folder.mkdir(exist_ok=True)
    rollouts = {run.name: read_rollouts(run) for run in _with_rollouts(runs)}
    runs = [
        replace(run, notes=[*run.notes, *rollouts[run.name].notes]) if run.name in rollouts else run for run in runs
    ]
    metrics = [
        with_entropy_by_strategy(run.metrics, rollouts[run.name]) if run.name in rollouts else run.metrics
        for run in runs
    ]
    bundles = bundles_of(metrics)
    sections, missing = _draw_sections(metrics, bundles, png_folder)
    content = {
        "title": f"EDGE-GRPO: {runs[0].name if len(runs) == 1 else f'{len(runs)} runs'}",
        "num_runs": len(runs),
        "notes": notes_with_runs([(run.name, run.notes) for run in runs]),
        "what_ran": table_of_what_ran(runs),
        "differences": table_of_differences(runs),
        "verdicts": verdicts,
        "quantities": _quantities(runs),
        "legend": list(legend_of(bundles)),
        "has_details": len(bundles) <= MOST_BUNDLES_WITH_DETAILS,
        "has_bands": any(len(bundle.runs) > 1 for bundle in bundles),
        "sections": sections,
        "missing": missing,
        "entropy": _draw_entropy(rollouts, png_folder),
        "rollout_notes": _rollout_notes(runs, rollouts),
        "style": _trusted("page.css"),
        "script": _trusted("page.js"),
    }
    return _write(content, rollouts, output_dir / PAGE_FILE)


def _quantities(runs: Sequence[RunFolder]) -> list[list[str]]:
    rows = rows_of_runs([run.metrics for run in runs])
    return rows if len(runs) <= MOST_RUNS_AS_COLUMNS else rows_by_run(rows, [run.name for run in runs])


def _with_rollouts(runs: Sequence[RunFolder]) -> list[RunFolder]:
    return [run for run in runs if run.rollout_files][:MAX_RUNS_WITH_ROLLOUTS]


def _draw_sections(
    metrics: Sequence[RunMetrics], bundles: Sequence[Bundle], png_folder: Path
) -> tuple[list[Section], list[str]]:
    """Return the panels that have something to show, and the titles of the others."""
    sections, missing = [], []
    for panel in PAGE_PANELS:
        quantities = quantities_with_data(panel, metrics)
        if quantities:
            sections.append(Section(panel.key, panel.title, draw_panel(panel, quantities, bundles, png_folder)))
        else:
            missing.append(panel.title)
    return sections, missing


def _draw_entropy(rollouts: dict[str, Rollouts], png_folder: Path) -> list[Drawn]:
    return [
        figure
        for number, (name, read) in enumerate(rollouts.items())
        for figure in draw_rollouts(name, number, read, png_folder)
    ]


def _rollout_notes(runs: Sequence[RunFolder], rollouts: dict[str, Rollouts]) -> list[str]:
    """Return what of the rollouts is not in the figures."""
    left_out = sum(1 for run in runs if run.rollout_files) - len(rollouts)
    notes = [f"The rollouts of {left_out} more runs are not read: give them alone."] if left_out else []
    for run in _with_rollouts(runs):
        num_read = len(rollouts[run.name].groups_by_step)
        if num_read < len(run.rollout_files):
            notes.append(f"{run.name}: {num_read} of {len(run.rollout_files)} steps are read, evenly chosen.")
    return notes


def _write(content: dict[str, object], rollouts: dict[str, Rollouts], path: Path) -> Path:
    """Write the page with as many groups as there is room for."""
    template = PAGE_TEMPLATES.get_template("page.html")
    without_groups = template.render(content, groups=Markup("[]"), browser=BrowserData("[]", []))
    # The notes of the browser come on top, a line a run.
    budget = MAX_PAGE_BYTES - len(without_groups.encode()) - 2_000 * (1 + len(rollouts))
    browser = browser_data(rollouts, max(0, budget))
    path.write_text(template.render(content, groups=Markup(browser.json), browser=browser), encoding="utf-8")
    return path


def _trusted(name: str) -> Markup:
    """Return a file of ours, which is put into the page as it is."""
    return Markup((Path(__file__).parent / name).read_text(encoding="utf-8"))
