"""Updates of a policy by verl's own worker, on the CPU, in a process of its own.

    VERL_PLATFORM=cpu python verl_update.py MODEL_DIR UPDATES RESULTS

UPDATES holds {name: {"overrides": verl's command-line overrides, "rows": [{field: 1-D tensor}]}}. Each update starts
from the model in MODEL_DIR. RESULTS gets {name: {"gradients", "parameters", "metrics"}}: the gradients as the optimizer
received them, and the parameters after its step.
"""

import os
import sys

import torch
import verl  # noqa: F401  its plugins, ours among them, are loaded by this
from hydra import compose, initialize_config_module
from verl.utils import tensordict_utils
from verl.workers.engine_workers import ActorRolloutRefWorker

MICRO_BATCH_SIZE = 2  # so that gradients accumulate over two micro-batches


def start_worker(model_dir, overrides):
    with initialize_config_module("verl.trainer.config", version_base=None):
        config = compose(
            "ppo_trainer",
            overrides=[
                "+profile=cpu",
                f"actor_rollout_ref.model.path={model_dir}",
                "actor_rollout_ref.rollout.name=vllm",
                f"actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu={MICRO_BATCH_SIZE}",
                f"actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu={MICRO_BATCH_SIZE}",
                "actor_rollout_ref.actor.optim.weight_decay=0",
                "actor_rollout_ref.actor.optim.clip_grad=1e9",
                *overrides,
            ],
        )
    worker = ActorRolloutRefWorker(config.actor_rollout_ref, role="actor")
    worker.init_model()
    return worker


def as_verls_worker_sees_it(rows):
    """Nested fields without padding, and what the trainer's `_update_actor` sends along."""
    fields = {name: [row[name] for row in rows] for name in rows[0]}
    fields["input_ids"] = [torch.cat([row["prompts"], row["responses"]]) for row in rows]
    fields["position_ids"] = [torch.arange(len(token_ids)) for token_ids in fields["input_ids"]]
    return tensordict_utils.get_tensordict(
        {name: torch.nested.as_nested_tensor(values, layout=torch.jagged) for name, values in fields.items()},
        non_tensor_dict={
            "calculate_entropy": False,
            "distillation_use_topk": False,
            "distillation_only": False,
            "global_batch_size": len(rows),
            "mini_batch_size": len(rows),
            "epochs": 1,
            "seed": 0,
            "dataloader_kwargs": {"shuffle": False},
            "temperature": 1.0,
        },
    )


def full(tensor):
    return (tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor).detach().clone()


def update(worker, rows):
    """One update from the model as it is now, which is then restored."""
    module, optimizer = worker.actor.engine.module, worker.actor.engine.optimizer
    parameters_before = [parameter.detach().clone() for parameter in module.parameters()]
    gradients = {}
    hook = optimizer.register_step_pre_hook(
        lambda *_: gradients.update({name: full(p.grad) for name, p in module.named_parameters()})
    )
    output = worker.update_actor(as_verls_worker_sees_it(rows))
    hook.remove()
    parameters = {name: full(parameter) for name, parameter in module.named_parameters()}
    with torch.no_grad():
        for parameter, before in zip(module.parameters(), parameters_before, strict=True):
            parameter.copy_(before)
    optimizer.state.clear()
    metrics = {
        name: float(value[0]) for name, value in output["metrics"].items() if name.startswith(("actor/", "grad"))
    }
    return {"gradients": gradients, "parameters": parameters, "metrics": metrics}


def main(model_dir, updates_file, results_file):
    os.environ |= {
        "WORLD_SIZE": "1",
        "RANK": "0",
        "MASTER_ADDR": "localhost",
        "MASTER_PORT": "0",
        "DIST_INIT_METHOD": f"file://{results_file}.rendezvous",
    }
    torch.set_num_threads(1)  # the models are tiny
    workers, results = {}, {}
    for name, plan in torch.load(updates_file).items():
        overrides = tuple(plan["overrides"])
        if overrides not in workers:
            workers[overrides] = start_worker(model_dir, overrides)
        results[name] = update(workers[overrides], plan["rows"])
    torch.save(results, results_file)


if __name__ == "__main__":
    main(*sys.argv[1:])
