"""Which deaths of actors are found in a real Ray, and what is said of them."""

import subprocess
import sys

import pytest
from support.ray_actors import ENDS, Owner, RewardLoopWorker, kill_process, ray_get, table, wait_until, wait_until_dead

from recipe.edge_grpo.run.dead_actors import find_dead_actor_of_this_process

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]


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


@pytest.mark.parametrize("end", ENDS)
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
