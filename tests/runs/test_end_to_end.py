"""Real runs of `verl.trainer.main_ppo` on the CPU: Ray, TransferQueue, FSDP2, vLLM and Hydra, nothing replaced.

Each run takes about two minutes, most of it imports, so the tests share them.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas
import pytest

from reward_fns.extraction import last_boxed

pytestmark = [pytest.mark.run, pytest.mark.timeout(1500)]

SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def edge_grpo_run(start_run: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two steps with everything on, validated before and after, with a checkpoint."""
    folder = tmp_path_factory.mktemp("edge_grpo") / "run"
    overrides = ["+recipe=edge_grpo", "+profile=cpu", "trainer.total_training_steps=2"]
    run = start_run(folder, *overrides, "trainer.test_freq=2", "trainer.save_freq=2")
    run.wait_for_step(1)
    run.listening_hosts = listening_hosts(run.process.pid)
    return run.finished()


@pytest.fixture(scope="module")
def grpo_run(start_run: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two steps of the baseline from the same checkpoint."""
    folder = tmp_path_factory.mktemp("grpo") / "run"
    overrides = ["+recipe=grpo", "+profile=cpu", "trainer.total_training_steps=2"]
    return start_run(folder, *overrides, "trainer.save_freq=-1").finished()


def test_every_metric_of_the_contract_is_in_the_metrics_file_of_each_step(
    edge_grpo_run: Any, contract_metrics: list[str]
) -> None:
    metrics = edge_grpo_run.metrics()
    for step in (1, 2):
        missing = [name for name in contract_metrics if f"edge_grpo/{name}" not in metrics[step]]
        assert not missing, f"step {step} lacks {missing}"


def test_correction_raises_accuracy_and_revives_groups(edge_grpo_run: Any) -> None:
    metrics = edge_grpo_run.metrics()
    for step in (1, 2):
        values = {name.removeprefix("edge_grpo/"): value for name, value in metrics[step].items()}
        assert values["accuracy/after_gec"] > values["accuracy/first_pass"]
        assert values["groups/all_wrong_after_gec"] < values["groups/all_wrong_before_gec"]
        # Without the scaling a group with contrast has a variance of 1 and one without has 0.
        share_with_contrast = 1 - values["groups/zero_variance_after_gec"]
        assert values["advantage_variance/before_eda"] == pytest.approx(share_with_contrast, abs=1e-3)
        assert values["advantage_variance/after_eda"] != values["advantage_variance/before_eda"]
        assert values["gec/answer_success_rate"] == 1.0


def test_verl_trains_on_the_rewards_after_correction(edge_grpo_run: Any) -> None:
    for step, metrics in edge_grpo_run.metrics().items():
        if step > 0:
            assert metrics["critic/score/mean"] == pytest.approx(metrics["edge_grpo/accuracy/after_gec"])


def test_injected_tokens_do_not_disturb_the_comparison_of_rollout_and_training_probabilities(
    edge_grpo_run: Any,
) -> None:
    # Their rollout log-probability is unknown; 0 in its place would show as a difference near 1.
    assert edge_grpo_run.metrics()[1]["training/rollout_probs_diff_max"] < 0.05


def test_nothing_of_a_run_on_one_machine_listens_beyond_the_loopback_interface(edge_grpo_run: Any) -> None:
    assert len(edge_grpo_run.listening_hosts) > 10
    assert {host for _, host in edge_grpo_run.listening_hosts} == {"127.0.0.1"}, edge_grpo_run.listening_hosts


def test_a_run_leaves_rollouts_and_a_checkpoint_below_its_folder(edge_grpo_run: Any) -> None:
    rollouts = edge_grpo_run.rollouts(1)
    assert len(rollouts) == 8 * 8
    assert any("Wait! Something is wrong here." in rollout["output"] for rollout in rollouts)
    assert list((edge_grpo_run.folder / "global_step_2" / "actor").iterdir())


def test_the_baseline_corrects_nothing_and_scales_nothing(grpo_run: Any) -> None:
    metrics = grpo_run.metrics()[1]
    assert metrics["edge_grpo/accuracy/first_pass"] == metrics["edge_grpo/accuracy/after_gec"]
    assert metrics["edge_grpo/gec/tokens_injected"] == 0
    assert metrics["edge_grpo/entropy_ratio/min"] == metrics["edge_grpo/entropy_ratio/max"] == 1
    assert metrics["edge_grpo/advantage_variance/before_eda"] == metrics["edge_grpo/advantage_variance/after_eda"]


def test_validation_scores_of_one_checkpoint_are_equal_with_and_without_correction(
    edge_grpo_run: Any, grpo_run: Any
) -> None:
    with_correction, without = edge_grpo_run.metrics()[0], grpo_run.metrics()[0]
    scores = {name: value for name, value in with_correction.items() if name.startswith("val-core/")}
    assert scores
    assert {name: without[name] for name in scores} == scores


def test_two_training_processes_and_two_vllm_replicas_train_two_steps(
    start_run: Callable[..., Any], tmp_path: Path
) -> None:
    overrides = ["+recipe=edge_grpo", "+profile=cpu", "trainer.n_gpus_per_node=2"]
    overrides += ["trainer.total_training_steps=2", "trainer.save_freq=-1", "trainer.val_before_train=false"]
    assert set(start_run(tmp_path / "run", *overrides).finished().metrics()) == {1, 2}


def test_hard_problems_with_their_reference_solutions_train_two_steps(
    start_run: Callable[..., Any], run_module: Callable[..., None], tmp_path: Path
) -> None:
    source = SHARED_DATA / "deepscaler_hard-1k.json"
    if not source.exists():
        pytest.skip(f"needs {source.name} in shared/data beside the repository")
    run_module("data_prep.deepscaler", "--input", source, "--output-dir", tmp_path, "--keep-duplicates")
    assert len(pandas.read_parquet(tmp_path / "train.parquet")) == 1000
    overrides = ["+recipe=edge_grpo", "+profile=cpu", f"data.train_files={tmp_path}/train.parquet"]
    overrides += ["data.max_prompt_length=1024", "data.max_response_length=3072", "trainer.val_before_train=false"]
    overrides += ["data.train_batch_size=16"]
    run = start_run(tmp_path / "run", *overrides, "trainer.total_training_steps=2", "trainer.save_freq=-1").finished()
    share = {
        stage: mean_over_steps(run, f"edge_grpo/groups/zero_variance_{stage}_gec") for stage in ("before", "after")
    }
    # 0.4 % of all-wrong groups stay all wrong (0.5075^8) and 0.35 % become all correct (0.4925^8): 0.2 of 32 groups.
    # The draws depend on seed, step and row only, so this does not fail by chance.
    assert share["before"] > 0.5
    assert share["after"] < 0.1
    # The tiny policy rarely gets to a box here. Rollouts hold a corrected response and not what it was before.
    for step in (1, 2):
        values = {name.removeprefix("edge_grpo/"): value for name, value in run.metrics()[step].items()}
        without_box = sum(last_boxed(rollout["output"]) is None for rollout in run.rollouts(step))
        corrected = values["gec/reflection"] + values["gec/answer"] + values["gec/solution"]
        assert without_box < values["verify/no_box"] <= without_box + corrected


def mean_over_steps(run: Any, name: str) -> float:
    values = [metrics[name] for step, metrics in run.metrics().items() if step > 0]
    assert len(values) == 2
    return sum(values) / len(values)


def listening_hosts(driver: int) -> list[tuple[str, str]]:
    """(process, host) of each port on which a process of the run whose driver is given listens."""
    import psutil

    found = []
    for process in psutil.Process(driver).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            connections = process.net_connections(kind="inet")
            hosts = [each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN]
            # An IPv4 address of a socket for both kinds is written as one of IPv6.
            found += [(process.name(), host.removeprefix("::ffff:")) for host in hosts]
    return found
