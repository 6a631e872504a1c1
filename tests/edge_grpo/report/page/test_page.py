import re
from html.parser import HTMLParser

import pytest
from support.run_folders import PLAIN, corrected, write_run_folder

from recipe.edge_grpo.report.__main__ import main
from recipe.edge_grpo.report.page import build

pytestmark = pytest.mark.slow

EVIL = "</script><script>document.title = 'pwned'</script><img src=x onerror=alert(1)>"


def report(*folders, output):
    """The page of the runs, as text."""
    assert main([*map(str, folders), "--output", str(output)]) == 0
    return (output / "index.html").read_text(encoding="utf-8")


class Elements(HTMLParser):
    """The names of the elements of a page, and their attributes."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def named(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def test_the_page_has_verdict_table_figures_and_groups_and_needs_nothing_else(tmp_path):
    responses = [corrected("a_0_0", 0.0, 1.0, "answer"), corrected("a_1_0", 0.0, 0.0)]
    metrics = {"edge_grpo/accuracy/first_pass": 0.5, "edge_grpo/groups/identical_responses": 0.25}
    folder = write_run_folder(tmp_path / "run", rollouts={1: responses}, **metrics)
    page = report(folder, output=tmp_path / "out")
    assert "Verdict: 25 % of the groups consist of one response repeated" in page
    assert "accuracy, first pass" in page and 'id="panel-accuracy"' in page
    assert '"flags":["all_wrong","revived","corrected"]' in page
    elements = Elements(page)
    assert [meta for meta in elements.named("meta") if meta.get("name") == "viewport"]
    assert len(elements.named("svg")) >= 3
    assert not [tag for tag, attributes in elements.found if "src" in attributes]
    links = [a["href"] for a in elements.named("a")] + [use.get("xlink:href", "#") for use in elements.named("use")]
    assert all(link.startswith("#") for link in links) and elements.named("link") == []
    assert not re.search(r"@import|url\((?!#)", page)


def test_figures_are_png_files_too(tmp_path):
    report(write_run_folder(tmp_path / "run"), output=tmp_path / "out")
    assert {path.name for path in (tmp_path / "out" / "figures").iterdir()} == {"accuracy.png", "time.png"}


def test_panels_without_data_are_named_at_the_end_and_not_drawn(tmp_path):
    page = report(write_run_folder(tmp_path / "run"), output=tmp_path / "out")
    missing = page.partition("<h2>Not in these metrics</h2>")[2]
    assert "Gradient norm" in missing and "Accuracy" not in missing
    assert 'id="panel-grad_norm"' not in page


def test_what_a_model_wrote_and_what_a_run_is_called_are_text(tmp_path):
    responses = [{**PLAIN, "output": EVIL, "input": EVIL, "gts": EVIL}]
    folder = write_run_folder(tmp_path / "<b>run&", rollouts={1: responses})
    (folder / "failure.txt").write_text(EVIL)
    (folder / "config.yaml").write_text(f'actor_rollout_ref: {{model: {{path: "{EVIL}"}}}}\n')
    page = report(folder, output=tmp_path / "out")
    elements = Elements(page)
    assert len(elements.named("script")) == 2 and elements.named("img") == [] and elements.named("b") == []
    assert EVIL not in page and "&lt;img" in page


@pytest.mark.parametrize("max_bytes", [300_000, 1_000_000])
def test_the_page_stays_below_its_size_however_much_was_dumped(tmp_path, max_bytes, monkeypatch):
    monkeypatch.setattr(build, "MAX_PAGE_BYTES", max_bytes)
    responses = [{**PLAIN, "uid": f"{number}_0_0", "output": "é<" * 2000} for number in range(200)]
    folder = write_run_folder(tmp_path / "run", rollouts=dict.fromkeys(range(1, 16), responses))
    page = report(folder, output=tmp_path / "out")
    assert max_bytes / 2 < len(page.encode()) <= max_bytes
    assert "of their 2400 groups" in page  # 12 of 15 steps


def test_a_run_of_hundreds_of_steps_shows_the_first_the_last_and_some_between(tmp_path):
    folder = write_run_folder(tmp_path / "run", rollouts={step: [PLAIN] for step in range(1, 121)})
    page = report(folder, output=tmp_path / "out")
    assert "steps 1, " in page and ", 120" in page
    assert "40 of 120 steps are read" not in page  # nothing has an entropy, so there are no figures of rollouts
    assert page.count('"step":') == 12


def test_runs_of_which_one_ends_early_are_drawn_and_the_page_says_which(tmp_path):
    long, short = write_run_folder(tmp_path / "long", num_steps=9), write_run_folder(tmp_path / "short", num_steps=4)
    page = report(long, short, output=tmp_path / "out")
    assert "short: It ends at step 4, others at step 9" in page
    assert "every run: No config.yaml" in page


def test_settings_in_which_runs_differ_are_a_table_and_places_are_not(tmp_path):
    folders = []
    for name, rate in (("a", 0.1), ("b", 0.2)):
        folders.append(write_run_folder(tmp_path / name))
        trainer = f"trainer: {{default_local_dir: {name}, nnodes: 1}}"
        (folders[-1] / "config.yaml").write_text(f"optim: {{lr: {rate}}}\n{trainer}\n")
    page = report(*folders, output=tmp_path / "out")
    table = page.partition("<h2>Settings in which the runs differ</h2>")[2].partition("</table>")[0]
    assert re.search(r"optim\.lr</th><td>0\.1</td><td>0\.2</td>", table)
    assert "default_local_dir" not in table and "nnodes" not in table


def test_many_runs_are_rows_of_the_table_with_a_legend_of_their_own(tmp_path):
    folders = [write_run_folder(tmp_path / f"recipe_{number}") for number in range(8)]
    page = report(*folders, output=tmp_path / "out")
    assert "First and last value of each run" in page
    assert len(Elements(page).named("button")) == 8
    assert "Lines are smoothed" in page


def test_a_metrics_file_is_accepted_in_the_place_of_its_folder(tmp_path):
    folder = write_run_folder(tmp_path / "run", rollouts={1: [PLAIN]})
    assert main([str(folder / "metrics.jsonl")]) == 0
    assert '"prompt":"What is 1+1?"' in (folder / "index.html").read_text()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('{"step": 1, "data": {"loss": 2.0, "speed": 1}}', "it logs loss, speed"),
        ('{"step": 1, "data": {}}', "it logs no number"),
        ('{"loss": 2.0}\n' * 500, "So are 499 more"),
    ],
)
def test_the_folder_of_another_program_is_refused_in_one_line(tmp_path, capsys, content, complaint):
    (tmp_path / "metrics.jsonl").write_text(content)
    assert main([str(tmp_path), "--output", str(tmp_path / "out")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and "metrics.jsonl" in line and complaint in line
    assert not (tmp_path / "out").exists()
