"""What is read from Ray's table of actors. These fail when Ray changes it, or when verl renames its classes."""

import copy
import logging
import os
import subprocess
import sys
import types

import pytest
from support.ray_actors import RewardLoopWorker, kill_process, table, wait_until_dead

from recipe.edge_grpo.run import dead_actors
from recipe.edge_grpo.run.dead_actors import ROLES, find_dead_actor, find_dead_actor_of_this_process

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def row(session):
    """row(**changes): Ray's own row of an actor whose process was killed, changed."""
    worker = session.remote(num_cpus=0)(RewardLoopWorker).remote()
    kill_process(worker)
    wait_until_dead(worker)
    killed = table()[worker._actor_id.hex()]

    def changed(**changes):
        # A message of protobuf's can be changed in place only.
        return {**killed, "DeathCause": copy.deepcopy(killed["DeathCause"]), **changes}

    return changed


def test_a_lost_node_is_a_fault(row):
    lost = row()
    context = lost["DeathCause"].actor_died_error_context
    context.reason = context.NODE_DIED
    assert "is dead: Ray has lost its node" in find_dead_actor([row(State="ALIVE"), lost], own_actor_id=None)


def test_an_actor_that_could_not_be_made_is_left_to_the_error_that_verl_gets(row):
    failed = row()
    failed["DeathCause"].Clear()
    failed["DeathCause"].creation_task_failure_context.SetInParent()
    assert find_dead_actor([failed], own_actor_id=None) is None


@pytest.mark.parametrize("state", ["ALIVE", "RESTARTING", "PENDING_CREATION", "DEPENDENCIES_UNREADY"])
def test_only_the_dead_count(row, state):
    assert find_dead_actor([row(State=state)], own_actor_id=None) is None
    assert find_dead_actor([row(DeathCause=None)], own_actor_id=None) is None
    assert find_dead_actor([], own_actor_id=None) is None


def test_a_class_of_another_kind_is_named_without_a_role(row):
    message = find_dead_actor([row(ActorClassName="SimpleStorageUnit", Pid=12)], own_actor_id=None)
    assert message.startswith("the actor (SimpleStorageUnit, process 12 on ")


@pytest.fixture
def warnings(caplog):
    """warnings(): what a process has been warned of that was not before."""
    dead_actors._warn_of_other_names.cache_clear()
    with caplog.at_level(logging.WARNING):
        yield lambda: caplog.messages
    dead_actors._warn_of_other_names.cache_clear()


def other_table(row):
    """{what a Ray could have instead of its table: what reading it raises}."""
    killed = row()
    nameless = {name: value for name, value in killed.items() if name != "State"}
    other_cause = {**killed, "DeathCause": types.SimpleNamespace(HasField=lambda name: False)}
    return {
        "ModuleNotFoundError": None,
        "AttributeError": types.SimpleNamespace(),
        "TypeError": types.SimpleNamespace(actors=lambda actor_id: {}),
        "KeyError": types.SimpleNamespace(actors=lambda job_id: {"1": nameless}),
        "AttributeError: ": types.SimpleNamespace(actors=lambda job_id: {"1": other_cause}),
    }


@pytest.mark.parametrize(
    "error", ["ModuleNotFoundError", "AttributeError", "TypeError", "KeyError", "AttributeError: "]
)
def test_another_table_of_another_ray_is_warned_of_once_and_ends_no_run(row, monkeypatch, warnings, error):
    import ray

    state = other_table(row)[error]
    monkeypatch.setattr(ray._private, "state", state, raising=False)
    monkeypatch.setitem(sys.modules, "ray._private.state", state)
    if state is None:
        monkeypatch.delattr(ray._private, "state")
    assert [find_dead_actor_of_this_process() for _ in range(3)] == [None] * 3
    (warning,) = warnings()
    assert f"Ray {ray.__version__} has another table of actors" in warning
    assert f"({error}" in warning
    assert "install ray==2.60.0" in warning


def test_a_table_that_does_not_answer_for_a_moment_is_for_the_watchdog_to_ask_again(session, monkeypatch, warnings):
    import ray

    def actors(job_id):
        raise ray.exceptions.RaySystemError("the GCS does not answer")

    monkeypatch.setattr(ray._private.state, "actors", actors)
    with pytest.raises(ray.exceptions.RaySystemError):
        find_dead_actor_of_this_process()
    assert warnings() == []


# In a process of its own, because it takes verl's CPU platform. What it prints are the names that Ray's table has of
# actors of these classes.
CLASS_NAMES = """
import verl, ray
from verl.experimental.reward_loop.reward_loop import RewardLoopWorker
from verl.single_controller.base import Worker
from verl.single_controller.ray.base import RayClassWithInitArgs, create_colocated_worker_cls
from verl.workers.rollout.vllm_rollout.vllm_async_server import vLLMHttpServer
from recipe.edge_grpo.correction.rollout import EdgeGRPOAgentLoopWorker

# as the trainer puts the roles of a training process together
training = create_colocated_worker_cls({"actor": RayClassWithInitArgs(ray.remote(Worker))}).cls
others = [ray.remote(each) for each in (RewardLoopWorker, EdgeGRPOAgentLoopWorker, vLLMHttpServer)]
for actor_class in (training, *others):
    print("CLASS", actor_class.__ray_metadata__.actor_creation_function_descriptor.class_name)
"""


def test_the_roles_are_those_of_verls_classes(row):
    """Fails when verl renames them."""
    environment = {**os.environ, "VERL_PLATFORM": "cpu"}
    printed = subprocess.run(
        [sys.executable, "-c", CLASS_NAMES], env=environment, capture_output=True, text=True, timeout=250
    )
    assert printed.returncode == 0, printed.stderr
    roles = {}
    for line in printed.stdout.splitlines():
        if line.startswith("CLASS "):
            message = find_dead_actor([row(ActorClassName=line.removeprefix("CLASS "))], own_actor_id=None)
            role, _, rest = message.removeprefix("the ").partition(" (")
            roles[rest.partition(",")[0]] = role
    assert roles == ROLES


def test_a_class_that_was_made_in_a_function_has_the_functions_name_in_rays_table(owner):
    """As verl's training processes have it; the name above is therefore that of the table."""

    def scenario(self):
        class Local(RewardLoopWorker):
            pass

        worker = self.make(Local)
        expected = worker._ray_actor_creation_function_descriptor.class_name
        return expected, table()[worker._actor_id.hex()]["ActorClassName"]

    expected, reported = owner(scenario)
    assert reported == expected
    assert reported.endswith("<locals>.Local")
