"""Which responses reflect, and what forced reflection gains."""

import pytest

from recipe.edge_grpo.evaluate.reflection import REFLECTION_MARKERS, forced_reflection, marker_pattern, self_reflection


@pytest.mark.parametrize(
    ("text", "reflects"),
    [
        ("Wait, that is not right.", True),
        ("so x = 3.\nWAIT!", True),
        ("await the result", False),
        ("waiting time", False),
        ("Let me  check\nthat", True),
        ("let me\ncheck", True),
        ("let me checkmate", False),
        ("I should re-check it", True),
        ("I should recheck it", True),
        ("I should re check it", True),
        ("double-check", True),
        ("Double check:", True),
        ("let me verify again", True),
        ("On second thought, no.", True),
        ("I made a mistake.", True),
        ("We rethink this", True),
        (r"$wait$", True),
        (r"It is \boxed{2}.", False),
        ("", False),
    ],
)
def test_a_marker_is_found_as_whole_words_in_any_case_and_spelling(text, reflects):
    assert bool(marker_pattern(REFLECTION_MARKERS).search(text)) == reflects


def test_every_marker_is_found_as_it_is_written():
    for marker in REFLECTION_MARKERS:
        assert marker_pattern([marker]).fullmatch(marker)


def test_a_marker_is_a_text_and_no_expression():
    pattern = marker_pattern(["a.c", "what?!", "(hm)"])
    assert pattern.search("abc") is None and pattern.search("what") is None
    assert pattern.search("a.c") and pattern.search("so, what?! no") and pattern.search("x (hm) y")


@pytest.mark.parametrize("markers", [[], ["wait", ""], [" "]])
def test_markers_that_match_nothing_or_everything_are_refused(markers):
    with pytest.raises(ValueError, match="must be texts that are not empty"):
        marker_pattern(markers)


def test_accuracy_of_responses_that_reflect_is_set_beside_that_of_all(graded):
    texts = [(0, "Wait, no."), (1, "Let me check: yes."), (0, "wait"), (1, "Clear."), (1, "Sure.")]
    responses = [graded(accuracy, sample_index=n, response=text) for n, (accuracy, text) in enumerate(texts)]
    assert self_reflection(responses, REFLECTION_MARKERS) == {
        "num_responses": 5,
        "num_reflecting": 3,
        "reflecting_fraction": pytest.approx(3 / 5),
        "accuracy_of_all": pytest.approx(3 / 5),
        "accuracy_of_reflecting": pytest.approx(1 / 3),
    }


def test_the_accuracy_of_responses_that_reflect_is_absent_where_none_does(graded):
    result = self_reflection([graded(response="Clear.")], REFLECTION_MARKERS)
    assert result["num_reflecting"] == result["reflecting_fraction"] == 0
    assert "accuracy_of_reflecting" not in result


def test_the_markers_can_be_chosen(graded):
    assert self_reflection([graded(response="Hmm.")], ["hmm"])["num_reflecting"] == 1


def test_the_prompt_does_not_count_as_reflection(graded):
    assert self_reflection([graded(prompt="How long must they wait?", response="5")], ["wait"])["num_reflecting"] == 0


def test_accuracy_after_forced_reflection_is_reported_for_each_text(graded):
    first_passes = [graded(0.0, problem_index=n) for n in range(3)] + [graded(1.0, problem_index=3)]
    continued = [
        *(graded(accuracy, problem_index=n, reflection_text="Wait!") for n, accuracy in enumerate((1.0, 0.0, 0.0))),
        *(graded(accuracy, problem_index=n, reflection_text=" Check.") for n, accuracy in enumerate((1.0, 1.0))),
    ]
    # Wait!: 1 of 3; Check.: 2 of 2, one wrong response was not continued; mean (1/3 + 1) / 2 = 2/3
    assert forced_reflection([*continued, *first_passes]) == {
        "num_wrong_first_passes": 3,
        "by_text": [
            {"reflection_text": " Check.", "num_responses": 2, "accuracy": 1.0},
            {"reflection_text": "Wait!", "num_responses": 3, "accuracy": pytest.approx(1 / 3)},
        ],
        "mean_accuracy": pytest.approx(2 / 3),
    }


def test_without_forced_reflection_there_is_only_the_number_of_wrong_responses(graded):
    assert forced_reflection([graded(0.0), graded(1.0, sample_index=1)]) == {"num_wrong_first_passes": 1}


@pytest.mark.parametrize("first_pass", [{"accuracy": 1.0}, {"temperature": 0.6}, {"sample_index": 1}])
def test_a_continuation_without_a_wrong_first_pass_is_an_error_that_names_it(graded, first_pass):
    responses = [graded(**({"accuracy": 0.0} | first_pass)), graded(1.0, reflection_text="Wait!")]
    with pytest.raises(ValueError, match=r"reflection_text='Wait!'\): forced reflection continues a wrong first pass"):
        forced_reflection(responses)
