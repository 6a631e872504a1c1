"""What is made of a reward that grades, hangs, breaks, or reads something else."""

import pytest

from recipe.edge_grpo.run.preflight.findings import Level
from recipe.edge_grpo.run.preflight.reward import OWN_REWARD, Probe, check_forms, check_grades, ways_read
from recipe.edge_grpo.run.preflight.reward_probe import grade_all_ways, probe_reward

ROW = {"data_source": "mine", "reward_model": {"ground_truth": "72"}}


@pytest.fixture
def probe(tmp_path):
    """probe(source, seconds=10): what comes of a reward file of this source."""

    def probe(source, seconds=30.0, **reward):
        (tmp_path / "reward.py").write_text(source)
        settings = {"path": str(tmp_path / "reward.py"), "name": "compute_score", "accuracy_key": "acc", **reward}
        return probe_reward(settings, ROW, "72", seconds)

    return probe


SIGNATURE = "def compute_score(data_source, solution_str, ground_truth, extra_info=None):\n"


@pytest.mark.process
@pytest.mark.parametrize(
    "source",
    [
        SIGNATURE + "    return float(solution_str.endswith('#### ' + ground_truth))",
        SIGNATURE + "    print('noise')\n    return {'score': 0, 'acc': '#### ' + ground_truth in solution_str}",
        "async " + SIGNATURE + "    return {'score': '#### ' + ground_truth in solution_str}",
    ],
)
def test_a_reward_of_any_kind_is_asked_in_every_form(probe, source):
    found = probe(source)
    assert found.error is None
    assert ways_read(found.grades) == ["####"]


@pytest.mark.process
def test_arguments_of_the_configuration_are_handed_over(probe):
    source = SIGNATURE.replace("=None", ", mark") + "    return mark + ground_truth in solution_str"
    assert ways_read(probe(source, reward_kwargs={"mark": "Answer: "}).grades) == ["Answer:"]


def test_one_more_than_an_answer_is_not_wrong_where_it_is_another_of_them():
    row = {"reward_model": {"ground_truth": ["1", "2"]}}
    question = {"gold": "1", "row": row, "reward": {"accuracy_key": "acc"}}
    grades = grade_all_ways(lambda solution_str, ground_truth, **_: float(solution_str in ground_truth), question)
    assert ways_read(grades) == ["the bare answer"]


@pytest.mark.process
@pytest.mark.parametrize(
    ("source", "words", "is_certain"),
    [
        ("import time\n" + SIGNATURE + "    time.sleep(60)", "not answered after 3 s", False),
        ("import os\n" + SIGNATURE + "    os._exit(3)", "exit code 3", False),
        (SIGNATURE + "    raise ConnectionError('no judge')", "raised ConnectionError: no judge", False),
        ("raise RuntimeError('no device')", "RuntimeError: no device", False),
        ("def compute_score(:", "SyntaxError", True),
        ("import no_such_module_anywhere", "ModuleNotFoundError", True),
        ("x = 1", "AttributeError", True),
        (SIGNATURE + "    raise NotImplementedError(data_source)", "raised NotImplementedError: mine", True),
    ],
)
def test_a_reward_that_cannot_be_tried_says_why(probe, source, words, is_certain):
    found = probe(source, seconds=3.0 if "sleep" in source else 30.0)
    assert words in str(found.error)
    assert found.is_certain is is_certain
    (finding,) = check_grades("reward.py", "72", found, is_this_machine=True)
    assert finding.level is (Level.PROBLEM if is_certain else Level.WARNING)


def test_only_our_own_reward_is_refused_for_its_grades():
    blind = Probe({r"\boxed": (0.0, 0.0)})
    (own,) = check_grades(OWN_REWARD, "72", blind, is_this_machine=True)
    (other,) = check_grades("mine.py", "72", blind, is_this_machine=True)
    assert (own.level, other.level) == (Level.PROBLEM, Level.WARNING)


@pytest.mark.parametrize(
    ("path", "asked", "expected"),
    [
        (OWN_REWARD, {"####": 10}, [Level.PROBLEM]),
        (OWN_REWARD, {"####": 5}, [Level.WARNING]),
        (OWN_REWARD, {"####": 4}, []),  # a heading in some problems
        (OWN_REWARD, {"####": 10, r"\boxed": 1}, []),
        (OWN_REWARD, {}, []),
        ("mine.py", {"####": 10}, [Level.WARNING]),
    ],
)
def test_the_form_that_prompts_ask_for_is_compared_with_what_the_reward_reads(path, asked, expected):
    reads_boxes = Probe({r"\boxed": (1.0, 0.0), "####": (0.0, 0.0)})
    assert [finding.level for finding in check_forms(path, asked, 10, reads_boxes)] == expected
