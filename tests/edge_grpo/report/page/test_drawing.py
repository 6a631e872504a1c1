import re
from xml.etree import ElementTree

import pytest

from recipe.edge_grpo.report.metrics_file import RunMetrics
from recipe.edge_grpo.report.page.bundles import bundles_of
from recipe.edge_grpo.report.page.drawing import draw_panel, legend_of
from recipe.edge_grpo.report.page.panel_table import PAGE_PANELS, quantities_with_data

pytestmark = pytest.mark.slow

PANELS = {panel.key: panel for panel in PAGE_PANELS}
WRONG = "edge_grpo/groups/all_wrong_"


def runs(*names, num_steps=3, **metrics):
    values = {name.replace("__", "/"): value for name, value in metrics.items()}
    values = values or {f"{WRONG}before_gec": 0.5, f"{WRONG}after_gec": 0.25}
    return [RunMetrics(name, {step: values for step in range(1, num_steps + 1)}) for name in names]


def draw(key, runs, folder):
    panel = PANELS[key]
    return draw_panel(panel, quantities_with_data(panel, runs), bundles_of(runs), folder)


def drawn_ids(svg):
    return [element.get("id") for element in ElementTree.fromstring(svg).iter() if element.get("id")]


def test_one_run_is_one_figure_whose_colours_are_its_quantities(tmp_path):
    (figure,) = draw("all_wrong", runs("a"), tmp_path)
    assert [name for name, _ in figure.legend] == ["before correction", "after correction"]
    assert len({colour for _, colour in figure.legend}) == 2
    assert (tmp_path / "all_wrong.png").read_bytes().startswith(b"\x89PNG")


def test_several_runs_are_a_figure_for_each_quantity_and_the_page_has_their_legend(tmp_path):
    both = runs("a", "b")
    figures = draw("all_wrong", both, tmp_path)
    assert [figure.title for figure in figures] == ["before correction", "after correction"]
    assert [name for name, _ in legend_of(bundles_of(both))] == ["a", "b"]
    assert list(legend_of(bundles_of(both[:1]))) == []


def test_figures_of_shares_in_one_panel_have_the_same_scale(tmp_path):
    figures = draw("all_wrong", runs("a", "b"), tmp_path)  # 0.5 before and 0.25 after
    labels = [re.findall(r">(0\.\d+)</text>", figure.svg) for figure in figures]
    assert labels[0] == labels[1] and {"0.25", "0.50"} <= set(labels[0])


def test_seeds_have_a_band_and_no_two_figures_share_a_name(tmp_path):
    figures = draw("all_wrong", runs("a-seed-0", "a-seed-1", "b"), tmp_path)
    ids = [name for figure in figures for name in drawn_ids(figure.svg)]
    assert len(ids) == len(set(ids))
    assert "all_wrong-0.run0-band" in ids and "all_wrong-0.run1-band" not in ids


def test_lines_that_coincide_differ_in_width_and_dash(tmp_path):
    (figure, _) = draw("all_wrong", runs("a", "b"), tmp_path)
    lines = {name: element for element in ElementTree.fromstring(figure.svg).iter() if (name := element.get("id"))}
    styles = [lines[f"all_wrong-0.run{number}-line"][0].get("style") for number in (0, 1)]
    assert "stroke-width: 4.3" in styles[0] and "stroke-width: 3.4" in styles[1]
    assert "dasharray" not in styles[0] and "dasharray" in styles[1]


def test_fifty_runs_of_a_thousand_steps_are_means_alone_in_a_figure_of_some_kilobytes(tmp_path):
    many = runs(*(f"recipe {number}" for number in range(50)), num_steps=1000, actor__grad_norm=1.5)
    (figure,) = draw("grad_norm", many, tmp_path)
    assert len(figure.svg) < 300_000
    assert sum(name.endswith("-line") for name in drawn_ids(figure.svg)) == 50
    assert not any(name.endswith(("-values", "-band")) for name in drawn_ids(figure.svg))


@pytest.mark.parametrize("names", [["a"], ["a", "b"]])
def test_parts_of_a_whole_are_stacked_and_one_that_is_always_0_is_left_out(names, tmp_path):
    (figure,) = draw("verifier", runs(*names, edge_grpo__verify__no_box=2.0, edge_grpo__verify__crash=0.0), tmp_path)
    assert [name for name, _ in figure.legend] == ["no_box"]


def test_a_name_with_a_dollar_or_markup_is_text(tmp_path):
    (figure,) = draw("time", runs("a $x^$ <b>", "b", timing_s__gen=1.0), tmp_path)
    assert "a $x^$ &lt;b&gt;" in figure.svg and "<b>" not in figure.svg


def test_panels_have_their_own_keys_and_their_quantities_their_own_labels():
    assert len(PANELS) == len(PAGE_PANELS)
    for panel in PAGE_PANELS:
        assert len({quantity.label for quantity in panel.quantities}) == len(panel.quantities), panel.key
