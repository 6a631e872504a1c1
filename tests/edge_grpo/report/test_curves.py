import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from recipe.edge_grpo.report.curves import draw_curves
from recipe.edge_grpo.report.metrics_file import RunMetrics
from recipe.edge_grpo.report.panels import panels_of

pytestmark = pytest.mark.slow

NUM_PANELS = 6


def run_with_everything(name="run", num_steps=3, left_out=()):
    """Every metric of every panel at every step, and a validation metric at step 0 only."""
    metrics = [line.metric for panel in panels_of([]) for line in panel.lines if line.metric not in left_out]
    steps = {step: {metric: float(step) for metric in metrics} for step in range(1, num_steps + 1)}
    return RunMetrics(name, {0: {"val-core/source/acc/mean@1": 0.5}, **steps})


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Draws the curves of runs and returns the figure, after a look at the file that was written."""
    figures = []
    savefig = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda figure, *a, **k: (figures.append(figure), savefig(figure, *a, **k)))

    def draw(*runs):
        draw_curves(runs, tmp_path / "curves.png")
        height, width, _ = imread(tmp_path / "curves.png").shape
        assert width > height > 500
        return {axes.get_title(): axes for axes in figures[-1].axes}, figures[-1]

    return draw


def legend_labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_one_run_gives_six_titled_panels_with_labelled_axes(drawn):
    panels, figure = drawn(run_with_everything("my run"))
    assert len(panels) == NUM_PANELS
    assert "my run" in figure.get_suptitle()
    assert all(axes.get_xlabel() == "step" and axes.get_ylabel() for axes in panels.values())


def test_lines_of_one_panel_differ_in_colour_or_style_and_all_are_in_the_legend(drawn):
    panels, _ = drawn(run_with_everything())
    lines = panels["Groups without variance"].get_lines()
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == len(lines) == 6
    assert len(legend_labels(panels["Groups without variance"])) == 6


def test_validation_is_drawn_into_the_accuracy_panel_at_its_own_steps(drawn):
    panels, _ = drawn(run_with_everything())
    labels = legend_labels(panels["Accuracy"])
    assert labels == ["first pass", "after correction", "validation, source/acc/mean@1"]
    assert list(panels["Accuracy"].get_lines()[2].get_xdata()) == [0]


def test_corrections_of_one_run_are_stacked_on_top_of_each_other(drawn):
    panels, _ = drawn(run_with_everything(num_steps=2))
    bars = panels["Corrections by strategy"].patches
    # Three strategies, each with 1 correction at step 1 and 2 at step 2: stacked from 0, 1, 2 and from 0, 2, 4.
    assert [(bar.get_y(), bar.get_height()) for bar in bars] == [(0, 1), (0, 2), (1, 1), (2, 2), (2, 1), (4, 2)]


def test_several_runs_differ_by_colour_and_are_named_in_one_legend_of_the_figure(drawn):
    panels, figure = drawn(run_with_everything("first"), run_with_everything("second"))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["first", "second"]
    lines = panels["Corrections by strategy"].get_lines()
    assert [line.get_color() for line in lines[:3]] == [lines[0].get_color()] * 3
    assert lines[3].get_color() != lines[0].get_color()
    assert len(legend_labels(panels["Groups without variance"])) == 2


def test_a_panel_without_metrics_says_so(drawn):
    corrections = [line.metric for panel in panels_of([]) if panel.is_stack for line in panel.lines]
    panels, _ = drawn(run_with_everything(left_out=corrections))
    texts = [text.get_text() for text in panels["Corrections by strategy"].texts]
    assert texts == ["no run has logged this"]
    assert len(panels["Accuracy"].texts) == 0


def test_a_run_of_one_step_without_any_known_metric_is_drawn(drawn):
    panels, _ = drawn(RunMetrics("run", {1: {"something else": 1.0}}))
    assert all(axes.texts for axes in panels.values())


def test_a_strategy_that_is_missing_at_a_step_counts_as_zero_there(drawn):
    run = RunMetrics("run", {1: {"edge_grpo/gec/reflection": 2.0}, 2: {"edge_grpo/gec/answer": 3.0}})
    panels, _ = drawn(run)
    bars = panels["Corrections by strategy"].patches
    assert [(bar.get_y(), bar.get_height()) for bar in bars] == [(0, 2), (0, 0), (2, 0), (0, 3)]


def test_hints_are_drawn_where_there_were_any():
    def corrections(values):
        run = RunMetrics("run", {step: {"edge_grpo/gec/hint": value} for step, value in enumerate(values)})
        return [line.label for panel in panels_of([run]) if panel.is_stack for line in panel.lines]

    assert corrections([0, 8]) == ["reflection", "answer", "solution", "hint"]
    assert corrections([0, 0]) == corrections([]) == ["reflection", "answer", "solution"]
