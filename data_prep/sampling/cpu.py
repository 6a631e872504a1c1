"""Sets what vLLM needs where there is no accelerator; active only with a CPU build of vLLM.

The settings make sampling on the CPU independent of the batch: with one thread the same request gives the same tokens
and the same log-probabilities, bit for bit, whatever is sampled beside it. With several threads the log-probabilities
differ in the last digits.
"""

import importlib.metadata
import os
from typing import Any

# What vLLM on the CPU needs wherever it runs, in training too. Set only where the user has not.
VLLM_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TORCH_COMPILE_DISABLE": "1",  # vLLM compiles its sampler: 15 to 30 s for the first request
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB; without it vLLM asks for nine tenths of the machine's memory
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_LOGGING_LEVEL": "WARNING",
}
SAMPLING_ENVIRONMENT = {
    **VLLM_ENVIRONMENT,
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # in this process: nothing stays behind when it is killed
}

_MAX_BATCHED_TOKENS = 4096  # vLLM's own default on the CPU

VLLM_DISTRIBUTIONS = ("vllm", "vllm-cpu")


def is_cpu_build() -> bool:
    """Return True if the installed vLLM is one for the CPU, by the rule that vLLM itself goes by."""
    for name in VLLM_DISTRIBUTIONS:
        try:
            return "cpu" in f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            continue
    return False


def prepare() -> None:
    """Set the environment for a CPU build. To be called before torch is imported, which reads the number of threads."""
    if is_cpu_build():
        for name, value in SAMPLING_ENVIRONMENT.items():
            os.environ.setdefault(name, value)


def engine_options(max_model_len: int) -> dict[str, Any]:
    """Return the options of vLLM's engine that a CPU build needs; none for another."""
    if not is_cpu_build():
        return {}
    return {
        "dtype": "float32",  # "auto" would turn float32 weights into 16 bits
        "enforce_eager": True,
        # A prompt is never split between two steps: vLLM then rewinds the generator of a request that has a seed, and
        # a generator on the CPU cannot be rewound ("CPU Generator does not use offset").
        "enable_chunked_prefill": False,
        "max_num_batched_tokens": max(max_model_len, _MAX_BATCHED_TOKENS),
    }
