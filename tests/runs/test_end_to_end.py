"""A real run of `verl.trainer.main_ppo` on the CPU: Ray, TransferQueue, FSDP2, vLLM and Hydra, nothing replaced.

It is the one run that `make test` has, and all of these tests look at it.
"""

from typing import Any

import pytest

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(900)]

STEPS = [1, 2, 3, 4, 5, 6]


def test_every_metric_of_the_contract_is_in_the_metrics_file_of_each_step(
    undisturbed_run: Any, contract_metrics: list[str]
) -> None:
    metrics = undisturbed_run.metrics()
    assert list(metrics) == [0, *STEPS]  # 0: the validation before training
    for step in STEPS:
        missing = [name for name in contract_metrics if f"edge_grpo/{name}" not in metrics[step]]
        assert not missing, f"step {step} lacks {missing}"


def test_correction_raises_accuracy_and_revives_groups(undisturbed_run: Any) -> None:
    metrics = undisturbed_run.metrics()
    for step in STEPS:
        values = {name.removeprefix("edge_grpo/"): value for name, value in metrics[step].items()}
        assert values["accuracy/after_gec"] > values["accuracy/first_pass"]
        assert values["groups/all_wrong_after_gec"] < values["groups/all_wrong_before_gec"]
        # Without the scaling a group with contrast has a variance of 1 and one without has 0.
        share_with_contrast = 1 - values["groups/zero_variance_after_gec"]
        assert values["advantage_variance/before_eda"] == pytest.approx(share_with_contrast, abs=1e-3)
        assert values["advantage_variance/after_eda"] != values["advantage_variance/before_eda"]
        assert values["gec/answer_success_rate"] == 1.0


def test_verl_trains_on_the_rewards_after_correction(undisturbed_run: Any) -> None:
    for step, metrics in undisturbed_run.metrics().items():
        if step > 0:
            assert metrics["critic/score/mean"] == pytest.approx(metrics["edge_grpo/accuracy/after_gec"])


def test_injected_tokens_do_not_disturb_the_comparison_of_rollout_and_training_probabilities(
    undisturbed_run: Any,
) -> None:
    # Their rollout log-probability is unknown; 0 in its place would show as a difference near 1.
    assert undisturbed_run.metrics()[1]["training/rollout_probs_diff_max"] < 0.05


def test_nothing_of_a_run_on_one_machine_listens_beyond_the_loopback_interface(undisturbed_run: Any) -> None:
    assert len(undisturbed_run.listening_hosts) > 10
    assert {host for _, host in undisturbed_run.listening_hosts} == {"127.0.0.1"}, undisturbed_run.listening_hosts


@pytest.mark.parametrize(
    "process",
    ["ray::WorkerDict", "ray::vLLMHttpServer", "VLLM::EngineCore", "ray::RewardLoopWorker", "ray::EdgeGRPOAgentLoop"],
)
def test_a_process_of_a_run_is_a_fork_of_one_that_has_its_imports(undisturbed_run: Any, process: str) -> None:
    """Fails if Ray, verl or vLLM changes there: each process would import for itself, and start slowly."""
    parents = [parent for title, parent in undisturbed_run.processes if title.startswith(process)]
    assert parents
    assert all("warm_workers.template" in parent for parent in parents), parents


def test_a_run_leaves_rollouts_and_a_checkpoint_below_its_folder(undisturbed_run: Any) -> None:
    rollouts = undisturbed_run.rollouts(1)
    assert len(rollouts) == 8 * 8
    assert any("Wait! Something is wrong here." in rollout["output"] for rollout in rollouts)
    assert list((undisturbed_run.folder / "global_step_6" / "actor").iterdir())
