"""Real runs of the two asynchronous trainers on the CPU, with error correction and the entropy-driven advantage.

Unfinished responses are aborted for each update of the weights and go on with the new ones. Each run takes about two
minutes, most of it imports, so the tests share them.
"""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas
import pytest

pytestmark = [pytest.mark.run, pytest.mark.timeout(1500)]

NUM_STEPS = 7
PROMPTS_PER_STEP = 8
GROUP_SIZE = 8

ANSWER = "After verification, the correct answer is"

SEQUENCES_AT_ONCE = "actor_rollout_ref.rollout.max_num_seqs"

TRAINERS = ["colocate", "separate"]


@pytest.fixture(scope="module")
def runs(start_run: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """runs(trainer): a finished run, validated at its ends, with a checkpoint."""
    # A vLLM that takes longer than a step of training, so that an update finds responses at work or waiting.
    profiles = {
        "colocate": ["+profile=cpu", "trainer.v1.trainer_mode=edge_grpo_colocate_async", f"{SEQUENCES_AT_ONCE}=2"],
        "separate": ["+profile=cpu_separate", f"{SEQUENCES_AT_ONCE}=1"],
    }
    finished: dict[str, Any] = {}

    def run_of(trainer: str) -> Any:
        if trainer not in finished:
            folder = tmp_path_factory.mktemp(trainer) / "run"
            overrides = ["+recipe=edge_grpo", *profiles[trainer], f"trainer.total_training_steps={NUM_STEPS}"]
            overrides += [f"trainer.test_freq={NUM_STEPS}", f"trainer.save_freq={NUM_STEPS}"]
            overrides += [f"trainer.validation_data_dir={folder}/validation"]
            finished[trainer] = start_run(folder, *overrides).finished()
        return finished[trainer]

    return run_of


@pytest.fixture(params=TRAINERS)
def run(request: pytest.FixtureRequest, runs: Callable[[str], Any]) -> Any:
    return runs(request.param)


def training_steps(run: Any) -> dict[int, dict[str, float]]:
    return {step: metrics for step, metrics in run.metrics().items() if step > 0}


def test_every_step_has_every_metric_of_the_contract(run: Any, contract_metrics: list[str]) -> None:
    steps = training_steps(run)
    assert list(steps) == list(range(1, NUM_STEPS + 1))
    for step, metrics in steps.items():
        missing = [name for name in contract_metrics if f"edge_grpo/{name}" not in metrics]
        assert not missing, f"step {step} lacks {missing}"
        assert len(run.rollouts(step)) == PROMPTS_PER_STEP * GROUP_SIZE


def test_both_parts_of_the_method_work(run: Any) -> None:
    for metrics in training_steps(run).values():
        values = {name.removeprefix("edge_grpo/"): value for name, value in metrics.items()}
        assert values["accuracy/after_gec"] > values["accuracy/first_pass"]
        assert metrics["critic/score/mean"] == pytest.approx(values["accuracy/after_gec"])
        assert values["gec/skipped_generation_failed"] == 0
        assert values["gec/tokens_regenerated"] > 0
        assert values["entropy_ratio/min"] < 1 < values["entropy_ratio/max"]
        assert values["advantage_variance/after_eda"] != values["advantage_variance/before_eda"]


def test_some_responses_are_begun_with_one_policy_and_ended_with_the_next(run: Any) -> None:
    spans = [metrics["training/off_policy/trajectory_spans/max"] for metrics in training_steps(run).values()]
    assert spans[0] == 1
    assert max(spans) >= 2


def test_the_probabilities_of_rollout_and_training_agree_before_the_first_update_and_nearly_afterwards(
    run: Any,
) -> None:
    differences = [metrics["training/rollout_probs_diff_max"] for metrics in training_steps(run).values()]
    assert differences[0] < 1e-3
    # A response that went on after an abort with its log-probabilities one token off would show as a difference near 1.
    assert max(differences) < 0.5


def drawn_strategy(step: int, dataset_index: int, session: int) -> str:
    """The draw as it is documented: from (seed, step, dataset index, session)."""
    generator = random.Random(f"0/{step}/{dataset_index}/{session}")
    return generator.choices(["reflection", "answer", "solution"], weights=[0.5, 0.25, 0.25])[0]


def test_corrections_are_drawn_for_the_step_in_which_the_prompt_was_handed_to_the_rollout(run: Any) -> None:
    num_checked = num_begun_earlier = 0
    for step in range(1, NUM_STEPS + 1):
        for rollout in run.rollouts(step):
            if rollout["strategy"] is None:
                continue
            # Prompts come in order: the warm-up, handed over in step 1 beside that step's own batch, then one a step.
            begun_in = max(1, rollout["dataset_index"] // PROMPTS_PER_STEP)
            session = int(rollout["uid"].split("_")[1])
            assert rollout["strategy"] == drawn_strategy(begun_in, rollout["dataset_index"], session)
            num_checked += 1
            num_begun_earlier += begun_in < step
    assert num_checked > 50
    assert num_begun_earlier > 10


def test_validation_is_not_corrected(run: Any) -> None:
    for step in (0, NUM_STEPS):
        validation = pandas.read_json(run.folder / "validation" / f"{step}.jsonl", lines=True)
        assert 0.2 < validation["score"].mean() < 0.8  # what is wrong stayed wrong
        assert not validation["output"].str.contains(ANSWER, regex=False).any()


def test_both_trainers_begin_with_the_weights_of_the_checkpoint(runs: Callable[[str], Any]) -> None:
    scores = [
        {name: value for name, value in runs(trainer).metrics()[0].items() if name.startswith("val-core/")}
        for trainer in TRAINERS
    ]
    assert scores[0]
    assert scores[0] == scores[1]


def test_a_checkpoint_has_the_policy_and_what_the_rollout_was_at(run: Any) -> None:
    checkpoint = run.folder / f"global_step_{NUM_STEPS}"
    assert list((checkpoint / "actor").iterdir())
    assert list((checkpoint / "transfer_queue").iterdir())


def test_two_training_processes_send_their_weights_after_every_second_update(
    start_run: Callable[..., Any], tmp_path: Path
) -> None:
    """Without a warm-up each prompt is answered by the weights of the step before: the rollout is on policy.

    The second of the two updates of a step compares with the weights before the first, so with those of the rollout.
    With EGPO under error correction: so its recipe is seen to train as well.
    """
    overrides = [
        "+recipe=egpo",
        "edge_grpo.gec.enabled=true",
        "+profile=cpu_separate",
        "trainer.total_training_steps=3",
    ]
    overrides += ["trainer.val_before_train=false", "trainer.test_freq=-1", "trainer.save_freq=-1"]
    overrides += ["trainer.n_gpus_per_node=2", "actor_rollout_ref.rollout.n_gpus_per_node=1"]
    overrides += ["trainer.v1.separate_async.num_warmup_batches=0"]
    overrides += ["trainer.v1.separate_async.parameter_sync_step=2", "actor_rollout_ref.actor.ppo_mini_batch_size=4"]
    steps = training_steps(start_run(tmp_path / "run", *overrides).finished())
    assert len(steps) == 3
    for metrics in steps.values():
        assert metrics["training/rollout_probs_diff_max"] < 1e-3
        assert metrics["actor/grad_norm"] > 0  # the weights did change
        assert metrics["edge_grpo/gec/tokens_injected"] > 0
