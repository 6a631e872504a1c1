"""The text of a corrected response's first pass: when it is kept, and who sees it."""

import pytest
from support.error_correction import EOS, N42, RIGHT, SO, UNK, WRONG, A

from recipe.edge_grpo.correction.record import RECORD_KEY, read_record
from recipe.edge_grpo.settings.choices import RESPONSE_STRATEGIES, Strategy


@pytest.mark.parametrize("strategy", RESPONSE_STRATEGIES)
@pytest.mark.parametrize("first_pass", [[SO, UNK, WRONG, EOS], [SO, WRONG]], ids=["special tokens", "truncated"])
def test_the_text_of_the_first_pass_is_kept_where_asked(start, policy, response, strategy, first_pass):
    run = start(strategy, policy(N42, EOS), keeps_first_pass_text=True)
    run.sample(response(*first_pass))
    assert run.record.first_pass_text == "so wrong"  # as verl decodes: without special tokens
    run = start(strategy, policy(N42, EOS))
    run.sample(response(*first_pass))
    assert run.record.strategy is strategy
    assert run.record.first_pass_text is None


def test_of_several_rounds_the_text_before_the_first_is_kept(start, policy, response):
    run = start(Strategy.REFLECTION, policy(SO, EOS), keeps_first_pass_text=True, reflection_rounds=3)
    run.sample(response(A, WRONG, EOS))
    assert run.record.reflection_rounds == 3
    assert run.record.first_pass_text == "a wrong"


@pytest.mark.parametrize(
    ("first_pass", "gec"),
    [
        ([RIGHT, EOS], {}),
        ([WRONG, EOS], {"max_prompt_tokens": 1}),
        ([WRONG], {"corrects_truncated": False}),
        ([WRONG] * 7, {}),  # no room
    ],
    ids=["right", "gate", "truncated", "no room"],
)
@pytest.mark.parametrize("strategy", [Strategy.REFLECTION, Strategy.ANSWER])
def test_a_response_that_was_not_corrected_has_no_text_of_a_first_pass(
    start, policy, response, strategy, first_pass, gec
):
    run = start(strategy, policy(N42), keeps_first_pass_text=True, **gec)
    run.sample(response(*first_pass))
    assert run.record.first_pass_text is None


def test_a_failing_server_leaves_no_text_of_a_first_pass(start, policy, response):
    run = start(Strategy.REFLECTION, policy(error=RuntimeError("server died")), keeps_first_pass_text=True)
    run.sample(response(WRONG, EOS))
    assert run.record.first_pass_text is None


@pytest.mark.parametrize("strategy", RESPONSE_STRATEGIES)
@pytest.mark.parametrize("scope", ["response", "group"])
def test_the_reward_function_sees_nothing_of_the_first_pass(start, policy, response, strategy, scope):
    shares = {name.value: 1 - 2e-6 if name is strategy else 1e-6 for name in RESPONSE_STRATEGIES} | {"hint": 0.0}
    run = start(
        policy=policy(SO, EOS), keeps_first_pass_text=True, reflection_rounds=2, scope=scope, probabilities=shares
    )
    stored = run.sample_group([response(WRONG, A, EOS) for _ in range(4)])
    texts = [read_record(output.extra_fields).first_pass_text for output in stored.values()]
    assert "wrong a" in texts
    assert len(run.scored) > len(stored)
    for _, extra_fields in run.scored:
        assert "wrong a" not in extra_fields
        assert RECORD_KEY not in extra_fields
        assert "acc" not in extra_fields  # what it reported about the first pass
