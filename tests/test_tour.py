"""The tour in docs/tour.ipynb runs from its first cell to its last, and what it prints is what the functions give.

It runs on a policy that has hardly been trained: such a one is always wrong, so that its first group is all wrong.
"""

import asyncio
import contextlib
import dataclasses
import io
import json
import re
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "tour.ipynb"
NOTEBOOK = json.loads(PAGE.read_text(encoding="utf-8"))
CELLS = {cell["id"]: cell for cell in NOTEBOOK["cells"]}
CODE = {name: "".join(cell["source"]) for name, cell in CELLS.items() if cell["cell_type"] == "code"}
PROSE = "\n\n".join("".join(cell["source"]) for cell in CELLS.values() if cell["cell_type"] == "markdown")
STORED = {name: "".join("".join(output["text"]) for output in CELLS[name]["outputs"]) for name in CODE}

MACHINE_PATH = re.compile(r"(?<![\w./])[/~]\w|\b[A-Z]:\\")


async def execute(namespace, printed):
    """Run the cells one after the other inside of an event loop, as Jupyter does."""
    for name, source in CODE.items():
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile(source, f"cell {name}", "exec"), namespace)
        printed[name] = output.getvalue()
        if name == "parameters":
            namespace["PLAN"] = dataclasses.replace(namespace["PLAN"], num_steps=1, highest_loss=None)


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    """The variables of the notebook, and {cell: what it printed}, after all cells were run in an empty folder."""
    namespace, printed = {}, {}
    num_threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("tour"))
        asyncio.run(execute(namespace, printed))
    torch.set_num_threads(num_threads)
    return namespace, printed


def table(text):
    """Return {column: its values as text} of a printed table; the rows start with their number."""
    header, *rows = (line.split() for line in text.splitlines())
    assert [row[0] for row in rows] == [str(number) for number in range(8)]
    return {name: [row[place] for row in rows] for place, name in enumerate(header, start=1)}


def numbers(column):
    return torch.tensor([float(value) for value in column])


def assert_printed(column, expected):
    """Two digits behind the point are printed."""
    torch.testing.assert_close(numbers(column), expected.float(), rtol=0, atol=0.00501)


def test_before_correction_the_group_is_all_wrong_and_has_no_advantages(tour):
    variables, printed = tour
    assert [response.output.reward_score for response in variables["group"]] == [0.0] * 8
    for cell, columns in (("collapse", ["A"]), ("entropy", ["A", "A_hat"])):
        header_and_rows = "\n".join(printed[cell].splitlines()[:9])
        for column in columns:
            assert table(header_and_rows)[column] == ["0.00"] * 8
    assert variables["before"].metrics["edge_grpo/groups/all_wrong_before_gec"] == 1
    assert printed["collapse"].endswith("groups without variance: 1.0\n")


def test_the_first_pass_of_every_recipe_is_the_one_that_is_shown(tour):
    variables, _ = tour
    first_pass = [variables["policy"].decode(response.output.response_ids) for response in variables["group"]]
    assert [response.record.first_pass_text for response in variables["corrected"]] == first_pass
    for response, text in zip(variables["guarded"], first_pass, strict=True):
        assert response.record.first_pass_text in (text, None)


def test_a_stated_answer_and_a_reference_solution_hold_the_answer(tour):
    variables, printed = tour
    answer = variables["row"]["reward_model"]["ground_truth"]
    strategies = set()
    for number, response in enumerate(variables["corrected"]):
        strategy, (span,) = response.record.strategy, response.record.injected_spans
        strategies.add(strategy)
        injected = variables["policy"].decode(response.output.response_ids[slice(*span)])
        assert " ".join(injected.split()) in printed["correction"]
        assert (rf"\boxed{{{answer}}}" in injected) == (strategy != "reflection")
        assert f"\n{number}  {strategy}: reward 0 -> {int(strategy != 'reflection')}\n" in "\n" + printed["correction"]
    assert strategies == {"reflection", "answer", "solution"}


def test_the_advantages_after_correction_are_those_of_an_update(tour):
    variables, printed = tour
    after, revived, scaled = variables["after"], table(printed["revived"]), table(printed["scaled"])
    assert (after.stored.response_mask[:, 0] == 1).all()
    assert_printed(scaled["A_hat"], after.advantages[:, 0])
    assert_printed(scaled["A"], after.advantages[:, 0] * variables["entropy_after"].ratio)
    assert revived["A"] == scaled["A"]
    assert revived["A_before"] == ["0.00"] * 8
    is_right = numbers(scaled["r"]) == 1
    assert is_right.any() and (numbers(scaled["A"])[is_right] > 0).all() and (numbers(scaled["A"])[~is_right] < 0).all()
    assert numbers(scaled["P_hat"]).mean().item() == pytest.approx(1, abs=0.01)


def test_under_the_guard_one_is_sure_and_one_is_kept(tour):
    variables, printed = tour
    shown, update = table(printed["guard"]), variables["under_guard"]
    assert sorted(shown["guard"]) == ["-"] * 6 + ["kept", "sure"]
    assert numbers(shown["r"])[shown["guard"].index("sure")] == 1
    assert shown["strategy"][shown["guard"].index("kept")] == "-"
    last = update.stored.response_mask.sum(dim=1) + update.stored.is_failed_prefix.sum(dim=1) - 1
    assert_printed(shown["A_hat"], update.advantages.gather(1, last.unsqueeze(1)).squeeze(1))


def test_the_tokens_that_count_and_those_that_do_not_make_up_each_response(tour):
    variables, printed = tour
    _, paper, ours = re.split(r"edge_grpo(?:_plus)?\n", printed["tokens"])
    for text, responses in ((paper, variables["corrected"]), (ours.strip("\n"), variables["guarded"])):
        shown = table(text.rstrip("\n"))
        lengths = torch.tensor([float(len(response.output.response_ids)) for response in responses])
        assert torch.equal(numbers(shown["in_loss"]) + numbers(shown["context_only"]), lengths)
    assert set(table(paper.rstrip("\n"))["context_only"]) == {"0"}
    assert numbers(shown["context_only"]).max() > 0


def test_only_grpo_has_no_gradient(tour):
    _, printed = tour
    norms = dict(re.findall(r"^(\w+) .* ([\d.]+)$", printed["loss"], re.MULTILINE))
    assert {name: float(norm) > 0 for name, norm in norms.items()} == {
        "grpo": False,
        "edge_grpo": True,
        "edge_grpo_plus": True,
    }


def test_every_cell_has_been_executed_in_order_and_printed_something():
    assert [CELLS[name]["execution_count"] for name in CODE] == list(range(1, len(CODE) + 1))
    assert [name for name, text in STORED.items() if not text.strip()] == []


def test_the_stored_outputs_have_no_error_and_no_path_of_a_machine():
    kinds = {(output["output_type"], output.get("name")) for name in CODE for output in CELLS[name]["outputs"]}
    assert kinds == {("stream", "stdout")}
    assert [name for name, text in STORED.items() if MACHINE_PATH.search(text) or "Traceback" in text] == []
    assert MACHINE_PATH.search("saved in /srv/x") and not MACHINE_PATH.search("in runs/tour, at 1/2 and ../x")


def test_the_stored_outputs_are_those_of_the_cells_as_they_are(tour):
    _, printed = tour
    for cell in ("parameters", "problem"):  # the same on every machine
        assert STORED[cell] == printed[cell]
    for cell in ("rewards", "collapse", "entropy", "revived", "scaled", "guard"):
        stored_header, header = (text.splitlines()[0].split() for text in (STORED[cell], printed[cell]))
        assert stored_header == header
    for cell in CODE:
        assert STORED[cell].count("reward 0 ->") == printed[cell].count("reward 0 ->")
    names, stored_names = (re.findall(r"^\S+", text, re.MULTILINE) for text in (STORED["metrics"], printed["metrics"]))
    assert names == stored_names


def test_the_notebook_is_one_of_format_four_and_its_links_and_paths_lead_to_files():
    assert (NOTEBOOK["nbformat"], NOTEBOOK["nbformat_minor"]) == (4, 5)
    assert len(CELLS) == len(NOTEBOOK["cells"])  # no identifier twice
    links = re.findall(r"\]\(([^)]+)\)", PROSE)
    paths = re.findall(r"`((?:recipe|docs)/[^`\s]+)`", PROSE)
    assert len(links) > 3 and len(paths) > 3
    assert [link for link in links if not (PAGE.parent / link).is_file()] == []
    assert [path for path in paths if not (ROOT / path).is_file()] == []
