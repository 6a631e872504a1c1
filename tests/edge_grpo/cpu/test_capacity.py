"""A Ray too small to start a run is refused before it starts; hand-worked counts of what the actors ask for."""

import pytest
from omegaconf import OmegaConf

from recipe.edge_grpo.cpu.capacity import check_capacity, needed_ray_cpus

SEPARATE = {"mode": "edge_grpo_separate_async", "rollout_nodes": 1}


def config(
    nodes=1,
    per_node=1,
    storage_units=1,
    agent_workers=1,
    reward_workers=1,
    mode="edge_grpo_sync",
    rollout_nodes=0,
    rollout_per_node=1,
    hybrid_engine=True,
    **ray_init,
):
    rollout = {"agent": {"num_workers": agent_workers}, "nnodes": rollout_nodes, "n_gpus_per_node": rollout_per_node}
    return OmegaConf.create(
        {
            "trainer": {"nnodes": nodes, "n_gpus_per_node": per_node, "v1": {"trainer_mode": mode}},
            "transfer_queue": {"backend": {"SimpleStorage": {"num_data_storage_units": storage_units}}},
            "actor_rollout_ref": {"hybrid_engine": hybrid_engine, "rollout": rollout},
            "reward": {"num_workers": reward_workers},
            "ray_kwargs": {"ray_init": {"num_cpus": 32, "num_gpus": nodes * per_node} | ray_init},
        }
    )


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        # task runner, TransferQueue's controller 2; storage 1; a training process 3, its server 1; agent 1; reward 1
        ({}, 9),
        # 2 + 8 + 2 x (3 + 1) + 8 + 8
        ({"per_node": 2, "storage_units": 8, "agent_workers": 8, "reward_workers": 8}, 34),
        # 2 + 1 + (2 x 2) x (3 + 1) + 1 + 1
        ({"nodes": 2, "per_node": 2}, 21),
        # rollout nodes mean nothing where training and rollout share their processes
        ({"mode": "edge_grpo_colocate_async", "rollout_nodes": 1}, 9),
        # 2 + 1 + a training process 3 + a rollout process 2, its server 1 + 1 + 1
        (SEPARATE | {"hybrid_engine": False}, 11),
        # and the server of the training process
        (SEPARATE | {"hybrid_engine": True}, 12),
        # verl's own name of the trainer: 2 + 1 + 2 x 3 + 3 x (2 + 1) + 1 + 1
        (SEPARATE | {"mode": "separate_async", "per_node": 2, "rollout_per_node": 3, "hybrid_engine": False}, 20),
    ],
)
def test_needed_cpus_are_counted_actor_by_actor(sizes, expected):
    assert needed_ray_cpus(config(**sizes)) == expected


def test_exactly_enough_is_enough_and_one_less_is_refused_with_the_number_to_set():
    check_capacity(config(num_cpus=9))
    with pytest.raises(ValueError) as refusal:
        check_capacity(config(num_cpus=8))
    message = str(refusal.value)
    assert "ray_kwargs.ray_init.num_cpus=8 " in message
    assert "ask for 9" in message
    assert "set ray_kwargs.ray_init.num_cpus=9" in message


def test_a_number_that_is_not_set_is_the_machines(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    with pytest.raises(ValueError, match=r"num_cpus=None gives Ray 2 logical CPUs.*set ray_kwargs.ray_init.num_cpus=9"):
        check_capacity(config(num_cpus=None))
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    check_capacity(config(num_cpus=None))


@pytest.mark.parametrize("num_gpus", [None, 0, 3])
def test_too_few_devices_are_refused_with_the_number_to_set(num_gpus):
    with pytest.raises(ValueError) as refusal:
        check_capacity(config(nodes=2, per_node=2, num_gpus=num_gpus))
    assert f"ray_kwargs.ray_init.num_gpus={num_gpus or 0}" in str(refusal.value)
    assert "set ray_kwargs.ray_init.num_gpus=4" in str(refusal.value)


def test_a_rollout_process_outside_the_training_processes_is_a_device_of_its_own():
    check_capacity(config(**SEPARATE, rollout_per_node=2, num_gpus=3))
    with pytest.raises(ValueError) as refusal:
        check_capacity(config(**SEPARATE, rollout_per_node=2, num_gpus=2))
    assert "ray_kwargs.ray_init.num_gpus=2" in str(refusal.value)
    assert "set ray_kwargs.ray_init.num_gpus=3" in str(refusal.value)


def test_the_separate_trainer_without_rollout_processes_is_told_of_its_profile():
    with pytest.raises(ValueError, match=r"actor_rollout_ref.rollout.nnodes=0.*\+profile=cpu_separate"):
        check_capacity(config(**SEPARATE | {"rollout_nodes": 0}))


def test_an_existing_cluster_is_left_to_its_administrator(monkeypatch):
    check_capacity(config(num_cpus=1, num_gpus=0, address="auto"))
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    check_capacity(config(num_cpus=1, num_gpus=0))


@pytest.mark.slow
def test_the_cpu_profile_asks_for_enough(compose):
    check_capacity(compose("+recipe=edge_grpo", "+profile=cpu"))
    check_capacity(compose("+recipe=edge_grpo", "+profile=cpu", "trainer.n_gpus_per_node=2"))
    check_capacity(compose("+recipe=edge_grpo", "+profile=cpu_separate"))
    check_capacity(compose("+recipe=edge_grpo", "+profile=cpu_separate", "trainer.n_gpus_per_node=4"))


def test_verl_asks_for_two_cpus_for_each_rollout_process_outside_the_training_processes():
    """Fails when verl changes that number."""
    import inspect

    from verl.workers.rollout.replica import RolloutReplica

    assert "max_colocate_count=2," in inspect.getsource(RolloutReplica.init_standalone)


def test_verl_still_asks_for_three_cpus_for_each_training_process():
    """Fails when verl changes the size of its placement bundles, on which the count stands."""
    from dataclasses import fields

    from verl.single_controller.ray.base import ResourcePoolManager

    (colocate,) = [field for field in fields(ResourcePoolManager) if field.name == "max_colocate_count"]
    assert colocate.default == 3


@pytest.mark.slow
def test_verls_own_number_of_storage_units_would_not_fit_a_small_machine(compose):
    stock = compose()
    assert stock.transfer_queue.backend.SimpleStorage.num_data_storage_units == 8
