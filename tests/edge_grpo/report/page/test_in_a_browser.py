"""The page in a real browser: no error on its console, and the browser of groups filters and turns its pages."""

import html
import re
import shutil
import subprocess

import pytest
from support.run_folders import corrected, write_run_folder

from recipe.edge_grpo.report.__main__ import main

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The text of a page with 24 groups: 12 all wrong that are revived, and 12 that are all correct."""
    folder = tmp_path_factory.mktemp("report")
    responses = []
    for number in range(12):
        responses += [corrected(f"w{number}_0_0", 0.0, 1.0, "answer"), corrected(f"w{number}_1_0", 0.0, 0.0)]
        evil = "<img src=x onerror=\"document.title='pwned'\">"
        responses += [corrected(f"r{number}_{session}_0", 1.0, 1.0, output=evil) for session in (0, 1)]
    runs = [write_run_folder(folder / name, rollouts={1: responses}) for name in ("a", "b")]
    assert main([*map(str, runs), "--output", str(folder / "out")]) == 0
    return (folder / "out" / "index.html").read_text()


@pytest.fixture
def open_page(page, tmp_path):
    """open_page(actions): the document after these lines of JavaScript ran, and what the console said."""

    def open_page(actions="", width=1400):
        path = tmp_path / "page.html"
        script = f"<script>const of = (id) => document.getElementById(id);{actions}</script></body>"
        path.write_text(page.replace("</body>", script))
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0"]
        command += [f"--user-data-dir={tmp_path}/profile", f"--window-size={width},900", "--dump-dom", path.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    return open_page


def count_of(document):
    return html.unescape(re.search(r'id="count"[^>]*>([^<]*)<', document)[1])


def test_the_console_is_free_of_errors_and_the_first_page_of_groups_is_shown(open_page):
    document, console = open_page()
    assert console == []
    assert count_of(document) == "24 of 24 groups, page 1 of 3"
    assert document.count('<article class="group">') == 10
    assert "<mark> no: 2</mark>" in document  # what error correction put in


def test_a_filter_shows_the_groups_that_pass_it_and_next_turns_the_page(open_page):
    choose = "of('choose-filter').value = 'revived'; of('choose-filter').dispatchEvent(new Event('input'));"
    document, console = open_page(choose)
    assert (count_of(document), console) == ("12 of 24 groups, page 1 of 2", [])
    document, _ = open_page(choose + "of('next').click();")
    assert count_of(document) == "12 of 24 groups, page 2 of 2"
    assert document.count('<article class="group">') == 2


def test_a_text_is_looked_for_and_none_that_is_found_is_said(open_page):
    search = "of('choose-text').value = 'NO: 2'; of('choose-text').dispatchEvent(new Event('input'));"
    assert count_of(open_page(search)[0]) == "12 of 24 groups, page 1 of 2"
    assert count_of(open_page(search.replace("NO: 2", "nowhere"))[0]) == "0 of 24 groups, page 1 of 1"


def test_what_a_model_wrote_is_shown_and_never_run(open_page):
    document, _ = open_page("of('choose-filter').value = 'all_correct';"
                            "of('choose-filter').dispatchEvent(new Event('input'));")  # fmt: skip
    assert "&lt;img src=x" in document and "<img" not in document.partition('id="data"')[0]
    assert "pwned</title>" not in document


def test_a_name_of_the_legend_leaves_the_other_lines_faint(open_page):
    document, _ = open_page("document.querySelector('#runs-legend button').click();")
    assert re.search(r'id="accuracy-0\.run1-line" class="dim"', document)
    assert not re.search(r'id="accuracy-0\.run0-line" class="dim"', document)


def test_nothing_is_wider_than_a_phone(open_page):
    document, _ = open_page(
        "document.title = document.documentElement.scrollWidth + ' in ' + window.innerWidth;", width=500
    )
    wide, window = map(int, re.search(r"<title>(\d+) in (\d+)</title>", document).groups())
    assert wide <= window
