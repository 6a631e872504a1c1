"""Which deaths of actors are found in a real Ray, and what is said of them. These fail when Ray's table changes."""

import copy
import logging
import os
import signal
import subprocess
import sys
import time
import types

import pytest

from recipe.edge_grpo.run import dead_actors
from recipe.edge_grpo.run.dead_actors import ROLES, find_dead_actor, find_dead_actor_of_this_process

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

PATIENCE = 60.0  # how long a test waits for what must happen; it goes on as soon as it has


class Owner:
    """Stands for the trainer's process: it owns actors, and looks which of them are dead."""

    def __init__(self):
        self.owned = []

    def make(self, actor_class, **options):
        import ray

        self.owned.append(ray.remote(num_cpus=0, **options)(actor_class).remote())
        return self.owned[-1]

    def call(self, function, *arguments):
        return function(self, *arguments)

    def find(self):
        return find_dead_actor_of_this_process()


class RewardLoopWorker:
    """Named as one of verl's."""

    def pid(self):
        return os.getpid()

    def leave(self):
        import ray

        ray.actor.exit_actor()


@pytest.fixture(scope="module")
def session():
    """A Ray of its own, whose workers need not import this file."""
    import ray

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        yield ray
    finally:
        ray.shutdown()
        ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@pytest.fixture
def owner(session):
    """owner(function, *arguments): call it in an owner of this test's own, which stands for the trainer's process."""
    actor = session.remote(num_cpus=0)(Owner).remote()
    yield lambda function, *arguments: session.get(actor.call.remote(function, *arguments))
    session.kill(actor)


def table():
    import ray
    from ray._private import state

    return state.actors(job_id=ray.JobID.from_hex(ray.get_runtime_context().get_job_id()))


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def wait_until_dead(actor):
    wait_until(lambda: table()[actor._actor_id.hex()]["State"] == "DEAD")


def ray_get(reference):
    import ray

    return ray.get(reference)


def kill_process(actor):
    pid = ray_get(actor.pid.remote())
    os.kill(pid, signal.SIGKILL)
    return pid


def test_an_actor_whose_process_is_killed_is_found_with_class_process_and_role(owner):
    def scenario(self):
        worker = self.make(RewardLoopWorker)
        other = self.make(RewardLoopWorker)
        other_pid, before = ray_get(other.pid.remote()), self.find()
        pid = kill_process(worker)
        wait_until_dead(worker)
        return before, pid, self.find(), other_pid

    before, pid, fault, other_pid = owner(scenario)
    assert before is None
    assert fault.startswith(f"the reward worker (RewardLoopWorker, process {pid} on ")
    assert "is dead: its process has ended (killed, out of memory, or crashed)" in fault
    assert str(other_pid) not in fault


def killed_by_the_program(self, worker):
    import ray

    ray.kill(worker)


def leaving_by_itself(self, worker):
    worker.leave.remote()


def out_of_scope(self, worker):
    self.owned.clear()


@pytest.mark.parametrize("end", [killed_by_the_program, leaving_by_itself, out_of_scope])
def test_an_actor_that_is_meant_to_end_is_no_fault(owner, end):
    def scenario(self):
        worker = self.make(RewardLoopWorker)
        ray_get(worker.pid.remote())
        actor_id = worker._actor_id.hex()
        end(self, worker)
        del worker
        wait_until(lambda: table()[actor_id]["State"] == "DEAD")
        return self.find()

    assert owner(scenario) is None


def test_an_actor_that_ray_has_started_again_is_no_fault(owner):
    def scenario(self):
        worker = self.make(RewardLoopWorker, max_restarts=1, max_task_retries=-1)
        first = kill_process(worker)
        wait_until(lambda: table()[worker._actor_id.hex()]["NumRestarts"] == 1)
        is_restarted = ray_get(worker.pid.remote()) != first
        once = self.find()
        kill_process(worker)
        wait_until_dead(worker)
        return is_restarted, once, self.find()

    is_restarted, once, twice = owner(scenario)
    assert is_restarted
    assert once is None
    assert "RewardLoopWorker" in twice


def test_an_actor_of_another_actor_is_that_ones_business(owner):
    def scenario(self):
        child = self.make(Owner)
        grandchild = ray_get(child.make.remote(RewardLoopWorker))
        kill_process(grandchild)
        wait_until_dead(grandchild)
        return self.find(), ray_get(child.find.remote())

    of_grandparent, of_parent = owner(scenario)
    assert of_grandparent is None
    assert "RewardLoopWorker" in of_parent


def test_in_a_process_that_is_no_actor_all_actors_count(session):
    actor = session.remote(num_cpus=0)(Owner).remote()
    grandchild = session.get(actor.make.remote(RewardLoopWorker))
    kill_process(grandchild)
    wait_until_dead(grandchild)
    assert "RewardLoopWorker" in find_dead_actor_of_this_process()


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


OUT_OF_MEMORY = """
import time
import ray
from recipe.edge_grpo.run.dead_actors import find_dead_actor_of_this_process

class Worker:
    pass

# Ray's memory monitor, told that the machine is full when a hundredth of it is used.
settings = {"memory_usage_threshold": 0.01, "memory_monitor_refresh_ms": 100}
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False, _system_config=settings)
worker = ray.remote(num_cpus=0)(Worker).remote()
deadline = time.monotonic() + 60
while (fault := find_dead_actor_of_this_process()) is None and time.monotonic() < deadline:
    time.sleep(0.1)
print("FAULT", fault)
"""


def test_an_actor_that_ray_kills_for_want_of_memory_is_found():
    printed = subprocess.run([sys.executable, "-c", OUT_OF_MEMORY], capture_output=True, text=True, timeout=250)
    (fault,) = (line for line in printed.stdout.splitlines() if line.startswith("FAULT "))
    assert fault.startswith("FAULT the actor (Worker, process ")
    assert "Ray has killed it, because its node was short of memory" in fault
