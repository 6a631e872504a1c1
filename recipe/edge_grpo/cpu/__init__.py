"""verl and vLLM without an accelerator: everything here is active only where VERL_PLATFORM=cpu.

platform.py           the device as verl asks for it
worker_extension.py   the vLLM worker: it loads the weights of a policy that changes
warm_workers/         processes of a run as forks of one that has their imports
checkpoint_engine.py  sends them to rollout processes outside the training processes
start_checks.py       refuses what cannot work, before Ray starts; its parts:
capacity.py           a Ray too small to start, which would otherwise wait for ever
memory.py             a machine too small for an update of the policy
resolvers.py          values of the profile that follow from other keys

What verl itself has to do differently on the CPU is a patch, in `verl_patches/accelerator.py`. Imports verl, vLLM,
names and `data_prep.sampling.cpu`; this module imports the last only, so the environment is set before torch is loaded.
"""

import os

from data_prep.sampling.cpu import VLLM_ENVIRONMENT

# Set only where the user has not. Children of this process (Ray, vLLM) inherit them; a dozen of them share the cores.
ENVIRONMENT = {
    **VLLM_ENVIRONMENT,
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # or vLLM refuses the executor `uni` of the profile; its server ignores it
    "HF_HUB_OFFLINE": "1",  # models and data are local paths; a look-up that times out costs minutes
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # silences a warning per actor
    "RAY_DEDUP_LOGS": "1",
}


def register() -> None:
    """Set the environment and register the platform; called once, by the plugin."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        # Ray refuses to start with the resource that stands for training processes while this hides all devices.
        del os.environ["CUDA_VISIBLE_DEVICES"]
    from recipe.edge_grpo.cpu import platform

    platform.register()
