"""`solution_in_every_group`: one response of each group makes place for the solution, be it right or wrong.

The solution is `secret so 42`. It takes the place of the response with which the order that is drawn begins.
"""

import itertools

import pytest
from support.error_correction import (
    EOS,
    FIRST,
    N42,
    N43,
    PLACE,
    RIGHT,
    SECRET,
    SO,
    WRONG,
    A,
    records,
)

from recipe.edge_grpo.correction.draws import DrawPlace, draw_order
from recipe.edge_grpo.correction.record import CorrectionRecord, Skipped
from recipe.edge_grpo.settings.choices import Strategy

SOLUTION = [SECRET, SO, N42, EOS]
OUTCOMES = ["".join(outcomes) for outcomes in itertools.product("rw", repeat=4)]
FIRST_PASS = {"r": CorrectionRecord(1.25, 1.0, False), "w": CorrectionRecord(0.25, 0.0, True)}


@pytest.fixture
def demonstrated(start, group):
    """demonstrated(first passes or their outcomes, row, **options): the run, and {session: output} of that group."""

    def demonstrated(first_passes, row=None, **options):
        run = start(Strategy.SOLUTION, scope="group", solution_in_every_group=True, **options)
        first_passes = group(first_passes) if isinstance(first_passes, str) else first_passes
        return run, dict(sorted(run.sample_group(first_passes, **(row or {})).items()))

    return demonstrated


@pytest.mark.parametrize("outcomes", OUTCOMES)
def test_the_drawn_response_is_the_solution_and_the_others_are_as_sampled_whatever_they_are(demonstrated, outcomes):
    run, stored = demonstrated(outcomes)
    drawn = draw_order(4, PLACE)[0]
    for session, outcome in enumerate(outcomes):
        if session == drawn:
            assert stored[session].response_ids == SOLUTION
            assert stored[session].response_mask == [1, 1, 1, 1]
            assert stored[session].response_logprobs == [0.0] * 4  # it has none of the rollout
            assert stored[session].reward_score == 1.25  # its own, not that of the first pass
        else:
            assert stored[session].response_ids == [FIRST + session, RIGHT if outcome == "r" else WRONG, EOS]
            assert records(stored)[session] == FIRST_PASS[outcome]
    before = FIRST_PASS[outcomes[drawn]]
    assert records(stored)[drawn] == CorrectionRecord(
        before.first_pass_reward, before.first_pass_accuracy, before.is_failed, Strategy.SOLUTION,
        injected_spans=((0, 4),),
    )  # fmt: skip
    assert run.policy.requests == []
    assert len(run.scored) == 5  # four first passes and the solution


@pytest.mark.parametrize("outcomes", OUTCOMES)
def test_without_the_setting_the_guard_replaces_no_right_response(start, group, outcomes):
    stored = start(Strategy.SOLUTION, scope="group").sample_group(group(outcomes))
    for session, outcome in enumerate(outcomes):
        if outcome == "r":
            assert stored[session].response_ids == [FIRST + session, RIGHT, EOS]
            assert records(stored)[session] == FIRST_PASS["r"]


def test_the_place_of_the_solution_is_drawn_anew_for_every_prompt(start, group):
    run, places = start(Strategy.SOLUTION, scope="group", solution_in_every_group=True), []
    for index in range(40):
        stored = run.sample_group(group("rwrw"), index=index)
        (place,) = [session for session, output in stored.items() if output.response_ids == SOLUTION]
        assert place == draw_order(4, DrawPlace(seed=0, global_step=3, dataset_index=index))[0]
        places.append(place)
    assert set(places) == {0, 1, 2, 3}


def with_media(response, i):
    return response(FIRST + i, A, RIGHT, EOS, mask=[1, 0, 1, 1], multi_modal_data={"images": [object()]})


@pytest.mark.parametrize(
    ("make", "row", "options", "reason"),
    [
        (None, {"extra_info": {}}, {}, Skipped.NO_SOLUTION),
        (None, {"extra_info": {"solution": ""}}, {}, Skipped.NO_SOLUTION),
        (None, {"extra_info": {"solution": "a a a a a a a 42"}}, {}, Skipped.SOLUTION_TOO_LONG),  # 8 + EOS = 9
        (None, {}, {"max_prompt_tokens": 1}, Skipped.PROMPT_TOO_LONG),  # it has 2
        (None, {}, {"raises_when": lambda number: number == 5}, Skipped.SCORING_FAILED),
        (lambda response, i: response(FIRST + i, RIGHT, EOS, reward_score=1.0), {}, {}, Skipped.SCORED_BY_AGENT_LOOP),
        (with_media, {}, {}, Skipped.MEDIA_IN_RESPONSE),
    ],
    ids=lambda value: str(value) if isinstance(value, Skipped) else "",
)
@pytest.mark.parametrize("outcome", ["r", "w"])
def test_a_solution_that_cannot_be_put_in_leaves_the_group_as_sampled_and_says_so_once(
    demonstrated, group, response, outcome, make, row, options, reason
):
    made = (lambda: [make(response, i) for i in range(4)]) if make else (lambda: group(outcome * 4))
    _, stored = demonstrated(made(), row, **options)
    assert [output.response_ids for output in stored.values()] == [output.response_ids for output in made()]
    drawn = draw_order(4, PLACE)[0]
    assert [record.skipped for record in records(stored).values()] == [
        reason if session == drawn else None for session in range(4)
    ]
    assert all(record.strategy is None for record in records(stored).values())


def test_a_solution_that_is_graded_as_wrong_stays_with_its_reward(demonstrated):
    _, stored = demonstrated("rrrr", {"extra_info": {"solution": "secret so 43"}})
    drawn = draw_order(4, PLACE)[0]
    assert stored[drawn].response_ids == [SECRET, SO, N43, EOS]
    assert stored[drawn].reward_score == 0.25


def test_a_solution_is_cut_where_it_may_be(demonstrated):
    _, stored = demonstrated("rrrr", {"extra_info": {"solution": "a a a a a a a 42"}}, long_solution="cut")
    drawn = draw_order(4, PLACE)[0]
    assert stored[drawn].response_ids == [A] * 7 + [N42]
    assert records(stored)[drawn].is_solution_cut


def test_the_text_that_made_place_is_kept(demonstrated):
    _, stored = demonstrated("rrrr", keeps_first_pass_text=True)
    drawn = draw_order(4, PLACE)[0]
    assert [record.first_pass_text for record in records(stored).values()] == [
        "right" if session == drawn else None for session in range(4)
    ]


def test_a_group_of_one_is_left_alone_and_what_is_left_of_a_larger_one_has_its_solution(demonstrated, group):
    _, stored = demonstrated("w")
    assert records(stored) == {0: FIRST_PASS["w"]}
    _, stored = demonstrated([group("www")[0], RuntimeError("lost"), group("www")[2]])
    left = [0, 2]
    drawn = left[draw_order(2, PLACE)[0]]
    assert [session for session, output in stored.items() if output.response_ids == SOLUTION] == [drawn]


def test_a_validation_has_no_solution_in_it(start, group):
    run = start(Strategy.SOLUTION, scope="group", solution_in_every_group=True)
    stored = run.sample_group(group("rw"), validate=True)
    assert [stored[i].response_ids for i in (0, 1)] == [[FIRST, RIGHT, EOS], [FIRST + 1, WRONG, EOS]]
