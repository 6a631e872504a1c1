"""Stands in for `verl.trainer.main_ppo` where only the logic of a batch script is tested: steps that do nothing.

It keeps the trainer's side of the contract: a step is saved when the run stops, `stop_requested` in the run folder
stops it after a step with exit code 0 and stays there, and the next start takes it away and goes on after the saved
step.

`stub.steps` and `stub.exit_code` among the overrides are its own; with `stub.never_stops=true` a stop is asked for in
vain, as within a step that is longer than the time Slurm gives; `stub.on_ray=true` also starts an actor with a child on
every node of the cluster that it is told to join.
"""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

SECONDS_PER_STEP = 0.2


def start_actors(address: str, node_ip_address: str) -> list[object]:
    """Actors on all nodes, with processes that do not end by themselves and have left their session."""
    import ray

    ray.init(address, _node_ip_address=node_ip_address)

    @ray.remote(num_cpus=0)
    class Actor:
        def start_child(self) -> int:
            self.child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
            return self.child.pid

    names = [name for node in ray.nodes() for name in node["Resources"] if name.startswith("slurm_node:")]
    actors = [Actor.options(resources={name: 0.1}).remote() for name in names]
    ray.get([actor.start_child.remote() for actor in actors])
    return actors


def main() -> int:
    arguments = sys.argv[1:]
    values = dict(argument.lstrip("+").split("=", 1) for argument in arguments if "=" in argument)
    folder = Path(re.sub(r"\\'", "'", values["trainer.default_local_dir"][1:-1]))
    stop_file, step_file = folder / "stop_requested", folder / "step"
    (folder / "arguments.json").write_text(json.dumps(arguments))
    stop_file.unlink(missing_ok=True)
    step = int(step_file.read_text()) if step_file.exists() else 0
    actors = []
    if "stub.on_ray" in values:
        address, host = (values[f"ray_kwargs.ray_init.{key}"].strip("'") for key in ("address", "_node_ip_address"))
        actors = start_actors(address, host)
    while step < int(values.get("stub.steps", "3")):
        time.sleep(SECONDS_PER_STEP)
        step += 1
        with (folder / "steps.txt").open("a") as log:
            log.write(f"{step}\n")
        if stop_file.exists() and "stub.never_stops" not in values:
            step_file.write_text(str(step))
            return 0
    del actors
    return int(values.get("stub.exit_code", "0"))


if __name__ == "__main__":
    sys.exit(main())
