"""Several rounds of reflection: what is kept of each, and when there is no other."""

import asyncio
import random

import pytest
from support.error_correction import END, EOS, N42, RIGHT, SECRET, SO, TWO, WAIT, WRONG, A, Q

from recipe.edge_grpo.correction.draws import DrawPlace, draw_reflection_text
from recipe.edge_grpo.correction.record import CorrectionRecord, Skipped, read_record
from recipe.edge_grpo.settings.choices import RESPONSE_STRATEGIES, Strategy

NEVER = object()
"""The answer of a server that does not answer."""


@pytest.fixture
def scripted(policy):
    """scripted([SO], error, ...): a server that answers each request with the next of these."""

    class Scripted(policy):
        def __init__(self, *script, log_probs=True):
            super().__init__(log_probs=log_probs)
            self.script = list(script)

        async def generate(self, **request):
            answer = self.script[len(self.requests)]
            if answer is NEVER:
                await super().generate(**request)
                await asyncio.Event().wait()
            is_error = isinstance(answer, Exception)
            self.ids, self.error = ([], answer) if is_error else (answer, None)
            return await super().generate(**request)

    return Scripted


def max_tokens(run):
    return [request.sampling_params["max_tokens"] for request in run.policy.requests]


def test_reflection_goes_on_until_the_response_is_right(start, scripted, response):
    run = start(Strategy.REFLECTION, scripted([SO, EOS], [N42, EOS], [SO]), reflection_rounds=3)
    stored = run.sample(response(WRONG, EOS))
    # the EOS of the first round goes as that of the first pass does
    assert stored.response_ids == [WRONG, WAIT, SO, WAIT, N42, EOS]
    assert stored.response_mask == [1] * 6
    assert stored.response_logprobs == [-float(WRONG), 0.0, -0.5, 0.0, -0.5, -0.5]
    assert stored.reward_score == 1.25
    assert [request.prompt_ids for request in run.policy.requests] == [
        [Q, TWO, WRONG, WAIT],
        [Q, TWO, WRONG, WAIT, SO, WAIT],
    ]
    # each round at the server that has the session's prefix
    assert [request.id for request in run.policy.requests] == ["of session 0"] * 2
    assert [ids for ids, _ in run.scored] == [[WRONG, EOS], [WRONG, WAIT, SO, EOS], stored.response_ids]
    assert run.record == CorrectionRecord(
        0.25,
        0.0,
        True,
        Strategy.REFLECTION,
        injected_spans=((1, 2), (3, 4)),
        reflection_rounds=2,
        tokens_regenerated=4,  # 2 in each round, the EOS that was dropped included
    )
    assert run.record.tokens_injected == 2


def test_a_response_that_is_right_after_the_first_round_reflects_no_more(start, scripted, response):
    run = start(Strategy.REFLECTION, scripted([N42, EOS], [SO]), reflection_rounds=2)
    assert run.sample(response(WRONG, EOS)).response_ids == [WRONG, WAIT, N42, EOS]
    assert (run.record.reflection_rounds, len(run.policy.requests)) == (1, 1)


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_a_response_that_stays_wrong_reflects_as_often_as_allowed(start, policy, response, rounds):
    run = start(Strategy.REFLECTION, policy(SO, END), reflection_rounds=rounds)
    stored = run.sample(response(WRONG, EOS))
    assert stored.response_ids == [WRONG, *[WAIT, SO] * rounds, END]
    assert run.record.injected_spans == tuple((1 + 2 * i, 2 + 2 * i) for i in range(rounds))
    assert run.record.reflection_rounds == len(run.policy.requests) == rounds
    assert run.record.tokens_regenerated == 2 * rounds
    assert run.record.skipped is None
    assert (stored.reward_score, len(run.scored)) == (0.25, 1 + rounds)


def test_what_counts_as_right_between_rounds_is_the_failure_definition(start, scripted, response):
    """The first round has the right answer and not the format."""
    run = start(
        Strategy.REFLECTION,
        scripted([N42, EOS], [SECRET, EOS]),
        reflection_rounds=3,
        failed="accuracy_or_format",
        format_score=lambda response_ids: float(SECRET in response_ids),
    )
    assert run.sample(response(WRONG, EOS)).response_ids == [WRONG, WAIT, N42, WAIT, SECRET, EOS]
    assert run.record.reflection_rounds == 2


def test_each_round_draws_a_text_of_its_own(start, policy, response):
    texts = {" Wait": [WAIT], " so a": [SO, A], " 2": [TWO]}
    drawn = []
    for session in range(12):
        run = start(
            Strategy.REFLECTION, policy(SECRET), reflection_rounds=2, reflection_texts=list(texts), max_new_tokens=1
        )
        stored = run.sample(response(WRONG), session=session)
        place = DrawPlace(0, 3, 5)
        expected = [draw_reflection_text(list(texts), place, session, reflection_round) for reflection_round in (0, 1)]
        assert stored.response_ids == [WRONG, *texts[expected[0]], SECRET, *texts[expected[1]], SECRET]
        spans = [stored.response_ids[start:end] for start, end in run.record.injected_spans]
        assert spans == [texts[text] for text in expected]
        drawn.append(tuple(expected))
    assert any(first != second for first, second in drawn)
    assert {text for pair in drawn for text in pair} == set(texts)


@pytest.mark.parametrize(
    ("token_budget", "continuation", "expected"),
    [
        (None, [SO] * 9, [2, 2, 2]),  # each round has max_new_tokens
        (4, [SO] * 9, [2, 2]),  # 2 + 2 = 4, nothing is left
        (5, [SO] * 9, [2, 2, 1]),
        (1, [SO] * 9, [1]),
        (4, [SO], [2, 2, 2]),  # what counts is what was sampled: 1 + 1 + 1
        (3, [SO], [2, 2, 1]),
        (100, [SO] * 9, [2, 2, 2]),
    ],
)
def test_the_token_budget_bounds_all_rounds_together(start, policy, response, token_budget, continuation, expected):
    run = start(
        Strategy.REFLECTION,
        policy(*continuation),
        reflection_rounds=3,
        max_new_tokens=2,
        token_budget=token_budget,
        response_length=50,
    )
    run.sample(response(WRONG, EOS))
    assert max_tokens(run) == expected
    assert run.record.tokens_regenerated == sum(min(bound, len(continuation)) for bound in expected)
    assert run.record.reflection_rounds == len(expected)


def test_the_response_length_bounds_every_round(start, policy, response):
    run = start(Strategy.REFLECTION, policy(SO, SO), reflection_rounds=3)
    stored = run.sample(response(WRONG, EOS))
    # 8 tokens: WRONG WAIT leave 6; two sampled and WAIT leave 3; two sampled leave 1, which WAIT would fill
    assert max_tokens(run) == [6, 3]
    assert stored.response_ids == [WRONG, WAIT, SO, SO, WAIT, SO, SO]


@pytest.mark.parametrize("how", ["no room", "error", "nothing", "time-out"])
def test_a_second_round_that_is_not_possible_keeps_the_result_of_the_first(start, scripted, response, how):
    first = [SO] * 6 if how == "no room" else [SO, EOS]  # 2 + 6 = 8 tokens
    second = {"no room": [A], "error": RuntimeError("server died"), "nothing": [], "time-out": NEVER}[how]
    limit = 0.05 if how == "time-out" else None
    run = start(Strategy.REFLECTION, scripted(first, second, [N42]), reflection_rounds=3, time_limit_seconds=limit)
    stored = run.sample(response(WRONG, EOS))
    assert stored.response_ids == [WRONG, WAIT, *first]
    assert stored.response_mask == [1] * (2 + len(first))
    assert stored.response_logprobs == [-float(WRONG), 0.0, *[-0.5] * len(first)]
    assert stored.reward_score == 0.25
    assert stored.extra_fields["reward_extra_info"] == {"acc": 0.0}
    assert run.record == CorrectionRecord(
        0.25,
        0.0,
        True,
        Strategy.REFLECTION,
        injected_spans=((1, 2),),
        reflection_rounds=1,
        tokens_regenerated=len(first),
    )
    assert len(run.scored) == 2
    assert len(run.policy.requests) == (1 if how == "no room" else 2)  # a third is not tried either


@pytest.mark.parametrize("answer", [RuntimeError("server died"), []], ids=["error", "nothing"])
def test_a_first_round_that_fails_is_not_repeated(start, scripted, response, answer):
    run = start(Strategy.REFLECTION, scripted(answer, [N42, EOS]), reflection_rounds=3)
    assert run.sample(response(WRONG, EOS)).response_ids == [WRONG, EOS]
    assert run.record == CorrectionRecord(0.25, 0.0, True, skipped=Skipped.GENERATION_FAILED)
    assert len(run.policy.requests) == 1


def test_a_run_without_log_probabilities_stays_without_in_every_round(start, scripted, response):
    run = start(Strategy.REFLECTION, scripted([SO], [N42], log_probs=False), reflection_rounds=2)
    stored = run.sample(response(WRONG, log_probs=False))
    assert stored.response_ids == [WRONG, WAIT, SO, WAIT, N42]
    assert stored.response_logprobs is None


def test_the_newest_weights_of_all_rounds_are_reported(start, policy, response):
    class Updated(policy):
        async def generate(self, **request):
            self.extra_fields = {"max_global_steps": [7, 6][len(self.requests)]}
            return await super().generate(**request)

    run = start(Strategy.REFLECTION, Updated(SO), reflection_rounds=2, max_new_tokens=1)
    stored = run.sample(response(WRONG, extra_fields={"max_global_steps": 5}))
    assert run.record.reflection_rounds == 2
    assert stored.extra_fields["max_global_steps"] == 7


class Bookkeeper:
    """A server that continues at random, and remembers what it returned."""

    def __init__(self, seed):
        self.generator = random.Random(seed)
        self.returned = []

    async def generate(self, *, request_id, prompt_ids, sampling_params, **arguments):
        from verl.workers.rollout.replica import TokenOutput

        await asyncio.sleep(0)
        length = self.generator.randint(1, 4)
        ids = [self.generator.choice([SO, A, N42]) for _ in range(length)][: sampling_params["max_tokens"]]
        self.returned.append((prompt_ids, ids))
        return TokenOutput(token_ids=ids, log_probs=[-0.5] * len(ids))


@pytest.mark.parametrize("scope", ["response", "group"])
@pytest.mark.parametrize("token_budget", [None, 3])
def test_every_token_generated_belongs_to_a_round_of_a_reflected_response(start, response, scope, token_budget):
    """Nothing else costs generation: neither right responses nor answers, solutions and attempts at a sure one."""
    first = 100  # the responses of a group start with 100, 101, ...
    num_of_strategy = dict.fromkeys([None, *RESPONSE_STRATEGIES], 0)
    for seed in range(20):
        server, generator = Bookkeeper(seed), random.Random(seed)
        run = start(
            policy=server,
            scope=scope,
            reflection_rounds=3,
            max_new_tokens=3,
            token_budget=token_budget,
            response_length=16,
        )
        outputs = [
            response(first + session, *[SO] * generator.randint(0, 9), generator.choice([WRONG, WRONG, RIGHT]), EOS)
            for session in range(8)
        ]
        stored = run.sample_group(outputs, index=seed)
        records = {session: read_record(output.extra_fields) for session, output in stored.items()}
        for session, record in records.items():
            requests = [ids for prompt_ids, ids in server.returned if prompt_ids[2] == first + session]
            assert len(requests) == record.reflection_rounds
            assert sum(map(len, requests)) == record.tokens_regenerated
            assert (record.strategy is Strategy.REFLECTION) == bool(requests)
            assert record.is_failed or not requests
            _check_alignment(stored[session], record, requests)
            num_of_strategy[record.strategy] += 1
        assert len(server.returned) == sum(record.reflection_rounds for record in records.values())
        assert sum(len(ids) for _, ids in server.returned) == sum(r.tokens_regenerated for r in records.values())
    assert min(num_of_strategy.values()) > 5


def _check_alignment(output, record, requests):
    """Each token is one that was sampled, with its log-probability, or one that was injected, with none."""
    length = len(output.response_ids)
    assert len(output.response_mask) == len(output.response_logprobs) == length <= 16
    injected = {position for start, end in record.injected_spans for position in range(start, end)}
    assert [position for position in range(length) if output.response_logprobs[position] == 0.0] == sorted(injected)
    if requests:
        assert [output.response_ids[position] for position in sorted(injected)] == [WAIT] * len(requests)
        assert [
            token
            for token, log_prob in zip(output.response_ids, output.response_logprobs, strict=True)
            if log_prob == -0.5
        ] == [token for ids in requests for token in ids]
