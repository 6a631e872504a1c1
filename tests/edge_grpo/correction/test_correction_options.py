"""Options of error correction: what each changes in a corrected response, and what it leaves as it is."""

import types
from collections import Counter

import pytest
from support.error_correction import (
    END,
    EOS,
    N42,
    PAD,
    RESPONSE_LENGTH,
    RIGHT,
    SECRET,
    SO,
    TWO,
    WAIT,
    WRONG,
    A,
)

from recipe.edge_grpo.correction.draws import DrawPlace, draw_strategy
from recipe.edge_grpo.correction.failure import UnreportedKeyError
from recipe.edge_grpo.correction.record import CorrectionRecord, Skipped, read_record
from recipe.edge_grpo.correction.sampling import NotingClient
from recipe.edge_grpo.settings.choices import RESPONSE_STRATEGIES, ProbabilitySchedule, Strategy


@pytest.mark.parametrize(
    ("failed", "format_score", "is_corrected"),
    [
        ("accuracy", 0.0, False),
        ("accuracy_or_format", 0.0, True),
        ("accuracy_or_format", 1.0, False),
        ("accuracy", None, False),  # the reward function reports no format, and none is asked for
    ],
)
def test_a_right_response_without_format_is_corrected_only_where_asked(
    start, response, failed, format_score, is_corrected
):
    is_reported = None if format_score is None else lambda response_ids: format_score
    run = start(Strategy.SOLUTION, failed=failed, format_score=is_reported)
    stored = run.sample(response(RIGHT, EOS))
    assert run.record.is_failed == is_corrected
    assert (run.record.first_pass_reward, run.record.first_pass_accuracy) == (1.25, 1.0)
    assert stored.response_ids == ([SECRET, SO, N42, EOS] if is_corrected else [RIGHT, EOS])


@pytest.mark.parametrize(
    ("failed", "format_score"),
    [("accuracy", None), ("accuracy", lambda ids: 1.0), ("accuracy_or_format", lambda ids: 1.0)],
)
def test_a_wrong_response_is_corrected_whatever_its_format(start, response, failed, format_score):
    run = start(Strategy.SOLUTION, failed=failed, format_score=format_score)
    assert run.sample(response(WRONG, EOS)).response_ids == [SECRET, SO, N42, EOS]


def test_a_right_response_without_the_format_that_the_settings_name_is_refused(start, response):
    run = start(failed="accuracy_or_format", format_score=lambda response_ids: 0.0, format_key="has_box")
    with pytest.raises(UnreportedKeyError, match=r"format_key=has_box: .* the keys acc, format\."):
        run.sample(response(RIGHT, EOS))
    assert run.stored is None


@pytest.mark.parametrize("strategy", RESPONSE_STRATEGIES)
@pytest.mark.parametrize(
    ("first_pass", "is_truncated"),
    [
        ([WRONG, EOS], False),
        ([WRONG, END], False),  # of the generation config
        ([WRONG], True),
        ([WRONG, EOS, SO], True),  # what counts is how it ends
        ([WRONG] * RESPONSE_LENGTH, True),
        ([WRONG, PAD], True),
    ],
)
def test_truncated_responses_can_be_left_as_they_are(start, policy, response, strategy, first_pass, is_truncated):
    run = start(strategy, policy(N42, EOS), corrects_truncated=False)
    stored = run.sample(response(*first_pass))
    if is_truncated:
        assert run.record == CorrectionRecord(0.25, 0.0, True, skipped=Skipped.TRUNCATED)
        assert stored.response_ids == first_pass
        assert stored.response_logprobs == [-float(token) for token in first_pass]
        assert (len(run.scored), run.policy.requests) == (1, [])
    else:
        assert run.record.strategy is strategy
        assert run.record.skipped is None


def test_a_right_truncated_response_is_not_recorded_as_skipped(start, response):
    run = start(Strategy.ANSWER, corrects_truncated=False)
    run.sample(response(RIGHT))
    assert run.record == CorrectionRecord(1.25, 1.0, False)


@pytest.mark.parametrize("first_pass", [[WRONG], [WRONG, EOS]])
def test_of_two_reasons_the_prompt_gate_is_recorded(start, response, first_pass):
    run = start(Strategy.ANSWER, corrects_truncated=False, max_prompt_tokens=1)
    run.sample(response(*first_pass))
    assert run.record.skipped is Skipped.PROMPT_TOO_LONG


@pytest.mark.parametrize(
    ("group_size", "expected"),
    [
        (2, (0.0, 0.5, 0.5)),
        (4, (0.0, 0.5, 0.5)),
        (5, (0.2, 0.4, 0.4)),
        (8, (0.5, 0.25, 0.25)),
        (16, (0.75, 0.125, 0.125)),
    ],
)
@pytest.mark.parametrize("rollout_n", [8, 4])
def test_the_schedule_takes_its_probabilities_from_the_prompts_own_group_size(
    start, policy, response, group_size, expected, rollout_n
):
    """Strategies in the order reflection, answer, solution; the probabilities of the settings have no effect."""
    run = start(Strategy.SOLUTION, policy(N42, EOS), schedule="2/G", group_size=rollout_n)
    shares = dict(zip(RESPONSE_STRATEGIES, expected, strict=True))
    drawn = []
    for index in range(40 // group_size):
        stored = run.sample_group([response(WRONG, EOS) for _ in range(group_size)], index=index)
        strategies = [read_record(stored[session].extra_fields).strategy for session in range(group_size)]
        assert strategies == [draw_strategy(shares, DrawPlace(0, 3, index), session) for session in range(group_size)]
        drawn += strategies
    assert set(Counter(drawn)) == {strategy for strategy, share in shares.items() if share > 0}


def test_the_guard_tries_what_the_prompts_own_group_size_allows(start, policy, response):
    """With four responses of its own the schedule never reflects; with the run's eight it would."""
    run = start(Strategy.SOLUTION, policy(N42, EOS), schedule="2/G", scope="group", group_size=8)
    for index in range(10):
        run.sample_group([response(WRONG, EOS) for _ in range(4)], index=index)
    assert run.policy.requests == []


def test_a_fixed_schedule_takes_the_probabilities_of_the_settings_in_groups_of_any_size(start):
    expected = {Strategy.REFLECTION: 0.5, Strategy.ANSWER: 0.25, Strategy.SOLUTION: 0.25, Strategy.HINT: 0.0}
    settings = start().worker.edge_grpo_settings.gec
    for group_size in (1, 2, 16):
        assert settings.strategy_probabilities(group_size) == expected


def test_one_of_several_reflection_texts_is_drawn_for_each_response(start, policy, response):
    texts = {" Wait": [WAIT], " so a": [SO, A], " 2": [TWO]}
    run = start(Strategy.REFLECTION, policy(N42), reflection_texts=list(texts), max_new_tokens=1)
    drawn = Counter()
    for session in range(90):
        stored = run.sample(response(WRONG), session=session)
        start_of_text, end_of_text = run.record.injected_spans[0]
        drawn[tuple(stored.response_ids[start_of_text:end_of_text])] += 1
    assert set(drawn) == {tuple(ids) for ids in texts.values()}
    assert min(drawn.values()) >= 18  # 30 of each are expected; the draws are always the same


@pytest.mark.parametrize("scope", ["response", "group"])
def test_the_answer_text_is_that_of_the_settings(start, response, scope):
    run = start(Strategy.ANSWER, answer_text=" so {answer} a {answer}", scope=scope)
    stored = run.sample_group([response(WRONG, EOS), response(WRONG, EOS)])
    corrected = [output.response_ids for output in stored.values() if output.response_ids != [WRONG, EOS]]
    assert corrected == [[WRONG, SO, N42, A, N42, EOS]] * len(corrected)
    assert len(corrected) == (2 if scope == "response" else 1)


@pytest.mark.parametrize(("rollout_data_dir", "keeps_text"), [("null", False), ("rollouts", True)])
def test_the_worker_takes_what_it_needs_from_verls_configuration(
    monkeypatch, compose, tokenizer, rollout_data_dir, keeps_text
):
    from verl.trainer.ppo.v1.agent_loop_tq import AgentLoopWorkerTQ

    from recipe.edge_grpo.correction.rollout import EdgeGRPOAgentLoopWorker

    generation_config = types.SimpleNamespace(eos_token_id=[END])

    def verls_init(worker, config, llm_client):
        worker.config, worker.llm_client, worker.tokenizer = config, llm_client, tokenizer
        worker.model_config = types.SimpleNamespace(tokenizer=tokenizer, generation_config=generation_config)
        worker.rollout_config = config.actor_rollout_ref.rollout

    monkeypatch.setattr(AgentLoopWorkerTQ.__ray_actor_class__, "__init__", verls_init)
    config = compose(
        "+recipe=edge_grpo",
        f"trainer.rollout_data_dir={rollout_data_dir}",
        "edge_grpo.seed=7",
        "edge_grpo.gec.schedule=2/G",
        "edge_grpo.gec.injected_loss=mask",
        "actor_rollout_ref.rollout.n=16",
        "actor_rollout_ref.rollout.response_length=77",
    )
    server = object()
    worker = EdgeGRPOAgentLoopWorker(config, server)
    corrector = worker.corrector
    assert isinstance(worker.llm_client, NotingClient) and worker.should_seed
    assert corrector.keeps_first_pass_text is keeps_text
    assert corrector.seed == 7
    assert corrector.llm_client is server
    assert corrector.settings.schedule is ProbabilitySchedule.TWO_OVER_GROUP_SIZE
    assert corrector.strategies.tokenizer is tokenizer
    assert corrector.strategies.response_length == 77
    assert corrector.strategies.eos_token_ids == {EOS, END}
    assert corrector.strategies.is_injected_in_loss is False
