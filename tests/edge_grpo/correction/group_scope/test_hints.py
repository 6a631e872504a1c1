"""The hint strategy in verl's own sampling of a prompt: which groups, which prompts, and what is left behind.

The solution is `secret so 42`: the first hint shows `secret`, the second `secret so`, and the answer is never shown.
"""

import random

import pytest
from support.error_correction import EOS, FIRST, N42, RIGHT, SECRET, SO, TWO, WRONG, A, Policy, Q, is_right, records

from recipe.edge_grpo.correction.draws import DrawPlace, draws_hint
from recipe.edge_grpo.correction.record import CorrectionRecord, HintSkipped, Skipped
from recipe.edge_grpo.settings.choices import Strategy

PLAIN, FIRST_HINT, SECOND_HINT = [Q, TWO], [Q, TWO, SECRET], [Q, TWO, SECRET, SO]
MESSAGES = [{"role": "user", "content": "2"}]
ONLY_HINTS = {"reflection": 0.0, "answer": 0.0, "solution": 0.0, "hint": 1.0}


class HintedPolicy(Policy):
    """Answers by session and number of words of the hint: rightly for those in `right`, raising for `raising`."""

    def __init__(self, right=(), raising=()):
        super().__init__()
        self.right, self.raising = set(right), set(raising)

    async def generate(self, *, request_id, prompt_ids, sampling_params, **arguments):
        session, num_words = int(request_id.split()[-1]), len(prompt_ids) - len(PLAIN)
        self.error = RuntimeError("server died") if (session, num_words) in self.raising else None
        self.ids = [A, RIGHT if (session, num_words) in self.right else WRONG, EOS]
        return await super().generate(request_id=request_id, prompt_ids=prompt_ids, sampling_params=sampling_params)


@pytest.fixture
def hinted(start, group):
    """hinted(outcomes, policy, probabilities, row, **options): the run, and {session: output} of that group."""

    def hinted(outcomes, policy=None, probabilities=ONLY_HINTS, row=None, **options):
        run = start(policy=policy or HintedPolicy(), scope="group", probabilities=probabilities, **options)
        stored = run.sample_group(group(outcomes), **{"raw_prompt": MESSAGES} | (row or {}))
        return run, dict(sorted(stored.items()))  # they are stored in the order in which they end

    return hinted


def test_an_all_wrong_group_is_sampled_again_under_growing_hints_until_one_response_is_right(hinted):
    run, stored = hinted("www", HintedPolicy(right=[(1, 2)]))
    assert [request.prompt_ids for request in run.policy.requests] == [FIRST_HINT] * 3 + [SECOND_HINT] * 3
    for session, output in stored.items():
        assert output.prompt_ids == SECOND_HINT
        assert output.response_ids == [A, RIGHT if session == 1 else WRONG, EOS]
        assert output.response_mask == [1, 1, 1]
        assert output.response_logprobs == [-0.5] * 3
        assert output.reward_score == 0.25 + (session == 1)
    first, *others = (records(stored)[session] for session in range(3))
    # 2 hints of 3 responses of 3 tokens are 18
    assert first == CorrectionRecord(0.25, 0.0, True, Strategy.HINT, hint_number=2, hints_tried=2, tokens_resampled=18)
    assert others == [CorrectionRecord(0.25, 0.0, True, Strategy.HINT, hint_number=2)] * 2


def test_the_first_hint_that_helps_is_the_last_that_is_tried(hinted):
    run, stored = hinted("ww", HintedPolicy(right=[(0, 1), (0, 2)]))
    assert [request.prompt_ids for request in run.policy.requests] == [FIRST_HINT] * 2
    assert [record.hint_number for record in records(stored).values()] == [1, 1]
    assert records(stored)[0].hints_tried == 1


def test_a_response_can_be_trained_on_the_prompt_without_the_hint(hinted):
    run, stored = hinted("ww", HintedPolicy(right=[(0, 1)]), hint_prompt="plain")
    assert [request.prompt_ids for request in run.policy.requests] == [FIRST_HINT] * 2
    assert [output.prompt_ids for output in stored.values()] == [PLAIN] * 2
    assert is_right(stored[0])


@pytest.mark.parametrize("outcomes", ["wr", "rr", "w"])
def test_a_group_with_contrast_or_without_a_failure_or_of_one_gets_no_hint(hinted, outcomes):
    run, stored = hinted(outcomes)
    assert run.policy.requests == []
    assert all(record.strategy is None and record.hints_tried == 0 for record in records(stored).values())


def test_where_no_hint_helps_the_group_is_as_it_was_first_sampled(hinted):
    run, stored = hinted("wt", keeps_first_pass_text=True)
    assert len(run.policy.requests) == 4
    assert [output.prompt_ids for output in stored.values()] == [PLAIN] * 2
    assert [output.response_ids for output in stored.values()] == [[FIRST, WRONG, EOS], [FIRST + 1, WRONG]]
    assert [output.reward_score for output in stored.values()] == [0.25] * 2
    account = {"hints_tried": 2, "tokens_resampled": 12, "is_without_right_hint": True}
    assert records(stored)[0] == CorrectionRecord(0.25, 0.0, True, **account)
    assert records(stored)[1] == CorrectionRecord(0.25, 0.0, True)


def test_where_no_hint_helps_the_other_strategies_have_the_group(hinted):
    shares = {"reflection": 0.0, "answer": 1e-6, "solution": 0.0, "hint": 1 - 1e-6}
    _, stored = hinted("ww", probabilities=shares)
    assert sorted(map(str, (record.strategy for record in records(stored).values()))) == ["None", "answer"]
    assert sum(record.hints_tried for record in records(stored).values()) == 2
    assert [is_right(output) for output in stored.values()].count(True) == 1


def test_whether_a_group_gets_a_hint_is_drawn_with_its_probability(start, group):
    shares = {"reflection": 0.0, "answer": 0.5, "solution": 0.0, "hint": 0.5}
    run = start(policy=HintedPolicy(right=[(0, 1)]), scope="group", probabilities=shares)
    for index in range(20):
        before = len(run.policy.requests)
        stored = run.sample_group(group("ww"), index=index, raw_prompt=MESSAGES)
        gets_hint = draws_hint(0.5, DrawPlace(0, 3, index))
        assert (len(run.policy.requests) > before) is gets_hint
        assert (records(stored)[0].strategy is Strategy.HINT) is gets_hint


@pytest.mark.parametrize(
    ("row", "options", "reason"),
    [
        ({"extra_info": {}}, {}, HintSkipped.NO_HINT),
        ({"extra_info": {"solution": "42"}}, {}, HintSkipped.NO_HINT),
        ({"raw_prompt": None}, {}, HintSkipped.PROMPT_NOT_REBUILT),
        ({"raw_prompt": [{"role": "user", "content": "a"}]}, {}, HintSkipped.PROMPT_NOT_REBUILT),
        ({"raw_prompt": []}, {}, HintSkipped.PROMPT_NOT_REBUILT),  # the template raises
        ({}, {"prompt_length": 2}, HintSkipped.NO_ROOM),
    ],
    ids=["no solution", "short solution", "no messages", "other messages", "template raises", "no room"],
)
def test_a_hint_that_cannot_be_given_is_counted_and_nothing_is_sampled(hinted, row, options, reason):
    run, stored = hinted("ww", row=row, **options)
    assert run.policy.requests == []
    assert records(stored)[0] == CorrectionRecord(0.25, 0.0, True, hint_skipped=reason)
    assert records(stored)[1] == CorrectionRecord(0.25, 0.0, True)


def test_hints_are_tried_as_far_as_they_fit(hinted):
    run, stored = hinted("ww", prompt_length=3)
    assert [request.prompt_ids for request in run.policy.requests] == [FIRST_HINT] * 2
    assert records(stored)[0].is_without_right_hint


@pytest.mark.parametrize("fields", [{"mask": [1, 0, 1]}, {"multi_modal_data": {"images": [object()]}}])
def test_a_loop_with_tools_or_images_is_not_sampled_again(start, response, fields):
    run = start(policy=HintedPolicy(), scope="group", probabilities=ONLY_HINTS)
    first_passes = [response(FIRST, WRONG, EOS, **fields), response(FIRST + 1, WRONG, EOS)]
    stored = run.sample_group(first_passes, raw_prompt=MESSAGES)
    assert run.policy.requests == []
    assert records(stored)[0].hint_skipped is HintSkipped.NOT_SINGLE_TURN


def test_what_may_not_be_corrected_stays_in_the_group(hinted):
    run, stored = hinted("wtw", HintedPolicy(right=[(2, 1)]), corrects_truncated=False)
    assert [request.id for request in run.policy.requests] == ["of session 0", "of session 2"]
    assert stored[1].response_ids == [FIRST + 1, WRONG]
    assert records(stored)[1] == CorrectionRecord(0.25, 0.0, True, skipped=Skipped.TRUNCATED)


def test_a_request_that_fails_leaves_its_response_and_costs_no_group(hinted):
    _, stored = hinted("www", HintedPolicy(right=[(2, 1)], raising=[(0, 1)]))
    assert stored[0].response_ids == [FIRST, WRONG, EOS] and stored[0].prompt_ids == PLAIN
    assert records(stored)[0].strategy is None
    assert records(stored)[0].tokens_resampled == 6  # two responses of 3
    assert stored[1].prompt_ids == stored[2].prompt_ids == FIRST_HINT


def test_a_reward_that_raises_on_a_hinted_response_leaves_the_one_before(hinted):
    run, stored = hinted("ww", HintedPolicy(right=[(0, 1), (1, 1)]), raises_when=lambda number: number == 3)
    kept = [output.prompt_ids == PLAIN for output in stored.values()]
    assert kept.count(True) == 1
    assert stored[kept.index(True)].response_ids == [FIRST + kept.index(True), WRONG, EOS]


def test_each_hint_is_asked_for_with_a_seed_of_its_own_within_the_bound_of_the_first_pass(hinted):
    run, _ = hinted("ww", seeds_responses=True, first_pass_max_tokens=5)
    # reference: the documented draw, with the number of the hint
    drawn = [random.Random(f"0/3/5/{s}/sampling/hint/{number}").getrandbits(63) for number in (0, 1) for s in (0, 1)]
    assert [request.sampling_params["seed"] for request in run.policy.requests] == drawn
    assert {request.sampling_params["max_tokens"] for request in run.policy.requests} == {5}
    assert {request.sampling_params["temperature"] for request in run.policy.requests} == {0.6}


def test_the_text_of_the_first_pass_is_kept_and_not_that_of_an_earlier_hint(hinted):
    run, stored = hinted("ww", HintedPolicy(right=[(0, 2)]), keeps_first_pass_text=True)
    assert [record.first_pass_text for record in records(stored).values()] == ["wrong", "wrong"]


def test_a_response_under_a_hint_is_of_the_weights_that_wrote_it(start, response):
    """In an asynchronous trainer: the first pass began under weights 3, and the hinted response under 5."""
    policy = HintedPolicy(right=[(0, 1)])
    policy.extra_fields = {"min_global_steps": 5, "max_global_steps": 6}
    run = start(policy=policy, scope="group", probabilities=ONLY_HINTS)
    weights = {"min_global_steps": 3, "max_global_steps": 4}
    first_passes = [response(FIRST + i, WRONG, EOS, extra_fields=dict(weights)) for i in range(2)]
    stored = run.sample_group(first_passes, raw_prompt=MESSAGES)
    for output in stored.values():
        assert (output.extra_fields["min_global_steps"], output.extra_fields["max_global_steps"]) == (5, 6)


def test_a_validation_gets_no_hint(start, group):
    run = start(policy=HintedPolicy(), scope="group", probabilities=ONLY_HINTS)
    run.sample_group(group("ww"), raw_prompt=MESSAGES, validate=True)
    assert run.policy.requests == []
    assert N42 not in run.stored.response_ids
