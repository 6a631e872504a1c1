"""Samples from a model with vLLM's offline engine: requests in, samples out.

A request brings its own seed, made from what the request is and not from when it comes. On the CPU its sample is
therefore the same whatever is sampled beside it or was sampled before (see cpu.py). On GPUs the kernels round
differently in batches of different sizes, so that now and then a token differs, and from there on the response;
VLLM_BATCH_INVARIANT=1 in the environment prevents it where vLLM supports it.
"""

import gc
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from data_prep.sampling import cpu

DEFAULT_GPU_MEMORY_UTILIZATION = 0.9


@dataclass(frozen=True)
class EngineSettings:
    """How vLLM is started; none of it changes what a response may be.

    `max_model_len` bounds prompt and response together, in tokens. `gpu_memory_utilization` is a share of each GPU; it
    has no meaning on the CPU.
    """

    model: str
    max_model_len: int
    tensor_parallel_size: int = 1
    gpu_memory_utilization: float = DEFAULT_GPU_MEMORY_UTILIZATION


@dataclass(frozen=True)
class Request:
    """One response that is wanted. `max_tokens` is at least 1; temperature 0 is greedy."""

    prompt_token_ids: tuple[int, ...]
    temperature: float
    top_p: float
    max_tokens: int
    seed: int


@dataclass(frozen=True)
class Sample:
    """One response.

    Attributes:
        token_ids: the whole response; the stop token is the last one if `finish_reason` is "stop".
        text: without special tokens.
        finish_reason: "stop", or "length" for a response that was cut off.
        surprisal: mean over the tokens of -log p in nats, where p is the probability with which the token was drawn
            (at the temperature, within top_p); None at temperature 0, where nothing was drawn.
    """

    token_ids: tuple[int, ...]
    text: str
    finish_reason: str
    surprisal: float | None


class SamplerError(Exception):
    """The model cannot be sampled from on this machine; the message says what to do."""


class Sampler(Protocol):
    """What samples: vLLM, or a stand-in for it."""

    def sample(self, requests: Sequence[Request]) -> list[Sample]:
        """Return one sample for each request, in their order."""

    def close(self) -> None:
        """Give back the memory of the model, on whichever device it is; nothing can be sampled afterwards."""


class LazySampler:
    """A `Sampler` that is made when it is first needed, so that a complete run loads no model."""

    def __init__(self, make_sampler: Callable[[], Sampler]) -> None:
        self._make_sampler = make_sampler
        self._sampler: Sampler | None = None

    def sample(self, requests: Sequence[Request]) -> list[Sample]:
        """See `Sampler`."""
        if self._sampler is None:
            self._sampler = self._make_sampler()
        return self._sampler.sample(requests)

    def close(self) -> None:
        """Close the sampler, if there is one."""
        if self._sampler is not None:
            self._sampler.close()


def request_seed(seed: int, *key: object) -> int:
    """Return the seed of one request, from the seed of the run and from what tells the request from all others.

    >>> request_seed(0, "amc", 4), request_seed(0, "amc", 5)
    (3814307105230080439, 2833248118398814144)
    """
    digest = hashlib.sha256(json.dumps([seed, *key]).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1  # vLLM takes a signed 64-bit integer


class VLLMSampler:
    """A `Sampler` that holds a loaded model until `close`."""

    def __init__(self, settings: EngineSettings) -> None:
        """Load the model. Raises SamplerError if vLLM is not installed."""
        cpu.prepare()
        try:
            from vllm import LLM
        except ModuleNotFoundError as error:
            raise SamplerError("vllm is not installed: install this package with its extra cpu or gpu") from error
        self._llm: Any = LLM(
            model=settings.model,
            max_model_len=settings.max_model_len,
            tensor_parallel_size=settings.tensor_parallel_size,
            gpu_memory_utilization=settings.gpu_memory_utilization,
            logprobs_mode="processed_logprobs",  # of the distribution that is drawn from, not at temperature 1
            **cpu.engine_options(settings.max_model_len),
        )

    def sample(self, requests: Sequence[Request]) -> list[Sample]:
        """See `Sampler`."""
        from vllm import SamplingParams

        outputs = self._llm.generate(
            [{"prompt_token_ids": list(request.prompt_token_ids)} for request in requests],
            [
                SamplingParams(
                    temperature=request.temperature,
                    top_p=request.top_p,
                    max_tokens=request.max_tokens,
                    seed=request.seed,
                    logprobs=0,  # of the sampled token only
                )
                for request in requests
            ],
            use_tqdm=False,
        )
        return [_sample(request, output.outputs[0]) for request, output in zip(requests, outputs, strict=True)]

    def close(self) -> None:
        """See `Sampler`."""
        self._llm.llm_engine.engine_core.shutdown()
        self._llm = None
        gc.collect()


def _sample(request: Request, output: Any) -> Sample:
    # A log-probability of 0 comes as -0.0 or, by rounding, a little above 0; a surprisal is not negative.
    surprisal = max(0.0, -output.cumulative_logprob / len(output.token_ids)) if request.temperature > 0 else None
    return Sample(tuple(output.token_ids), output.text, output.finish_reason, surprisal)
