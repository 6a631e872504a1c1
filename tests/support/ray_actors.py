"""Actors of a real Ray that tests let die, an owner that looks which of them are dead, and Ray's table of them."""

import os
import signal
import time

from recipe.edge_grpo.run.dead_actors import find_dead_actor_of_this_process

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


def killed_by_the_program(self, worker):
    import ray

    ray.kill(worker)


def leaving_by_itself(self, worker):
    worker.leave.remote()


def out_of_scope(self, worker):
    self.owned.clear()


ENDS = (killed_by_the_program, leaving_by_itself, out_of_scope)
"""Ways in which an actor of an owner is meant to end."""
