"""Adds the options that every command has which samples from a model, and reads the arguments of all commands."""

import argparse
import math
from pathlib import Path

from data_prep.sampling.engine import DEFAULT_GPU_MEMORY_UTILIZATION
from data_prep.sampling.templates import TEMPLATES

DEFAULT_CHUNK_SIZE = 512

_LOWEST_TEMPERATURE = 0.01


def add_model_options(parser: argparse.ArgumentParser, default_template: str, default_max_tokens: int) -> None:
    """Add what is sampled from, how prompts are made, and how vLLM is run."""
    sampling = parser.add_argument_group("sampling")
    sampling.add_argument(
        "--template", choices=TEMPLATES, default=default_template, help=f"(default: {default_template})"
    )
    sampling.add_argument("--top-p", type=probability, default=1.0, help="(default: %(default)s)")
    sampling.add_argument(
        "--max-tokens", type=positive, default=default_max_tokens, help="of a response (default: %(default)s)"
    )
    sampling.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    sampling.add_argument("--limit", type=positive, help="take the first so many problems, for a trial")
    sampling.add_argument("--overwrite", action="store_true", help="forget what was sampled before")
    sampling.add_argument(
        "--chunk-size",
        type=positive,
        default=DEFAULT_CHUNK_SIZE,
        help="responses that are sampled together, which is what a kill can lose (default: %(default)s)",
    )
    engine = parser.add_argument_group("vLLM")
    engine.add_argument("--tensor-parallel-size", type=positive, default=1, help="GPUs for the model")
    engine.add_argument(
        "--gpu-memory-utilization",
        type=probability,
        default=DEFAULT_GPU_MEMORY_UTILIZATION,
        help="share of each GPU for vLLM (default: %(default)s; no meaning on the CPU)",
    )


def positive(text: str) -> int:
    """Read a whole number of at least 1; `positive("8")` is 8."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def temperature(text: str) -> float:
    """Read 0, or a finite number from 0.01: vLLM raises what is between to that. `temperature("0.6")` is 0.6."""
    value = _number(text, low=0, high=math.inf, is_low_included=True)
    if 0 < value < _LOWEST_TEMPERATURE:
        raise argparse.ArgumentTypeError(
            f"vLLM samples at no temperature between 0 and {_LOWEST_TEMPERATURE}: {text!r}"
        )
    return value


def probability(text: str) -> float:
    """Read a number above 0 and at most 1; `probability("1")` is 1.0."""
    return _number(text, low=0, high=1, is_low_included=False)


def existing(text: str) -> Path:
    """Read a path at which there is something."""
    if not Path(text).exists():
        raise argparse.ArgumentTypeError(f"{text} does not exist")
    return Path(text)


def _number(text: str, low: float, high: float, is_low_included: bool) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high or math.isinf(value) or (value == low and not is_low_included):
        bounds = f"{'from' if is_low_included else 'above'} {low}" + ("" if math.isinf(high) else f" to {high}")
        raise argparse.ArgumentTypeError(f"{text!r} is not a number {bounds}")
    return value
