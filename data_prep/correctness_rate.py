"""Writes for each problem how often a model solves it, the number by which the paper's Hard-1K was chosen.

    python -m data_prep.correctness_rate --model MODEL --input SOURCE --output FILE [--num-samples 8]
        [--temperature 0.6] [--template chat]                                      (--help lists all options)

SOURCE is any source of `data_prep.prepare`: rows that verl can train on, such as that command writes, which are put to
the model as they are, or problems, which are put without an instruction. FILE (.json, .jsonl or .parquet) is the input
with one column more, `correctness_rate`: the mean accuracy over the responses to the problem; in verl rows it goes into
`extra_info`. `python -m data_prep.prepare --subset hard`, with `--preset verl` for such rows, then selects by it. The
authors name neither the model nor the settings behind their rates; the defaults here are those with which they sample
in training.

Graded responses are kept in FILE.journal.jsonl. After a kill, the same command samples and grades what is missing.
More samples (`--num-samples`) and more rows (`--limit`) continue it too; with other settings it is refused.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

from tqdm import tqdm

from data_prep.presets.table import COLUMNS_PRESET
from data_prep.problems.problem_records import ProblemRecord, encode, read_problem_records, write_records
from data_prep.quality.token_lengths import load_tokenizer
from data_prep.sampling import checkpoint, cpu
from data_prep.sampling.engine import (
    EngineSettings,
    LazySampler,
    Request,
    Sampler,
    SamplerError,
    VLLMSampler,
    request_seed,
)
from data_prep.sampling.grading import Job, Outcome, run_jobs
from data_prep.sampling.journal import Journal
from data_prep.sampling.options import add_model_options, positive, temperature
from data_prep.sampling.prompts import build_prompts, needed_length
from data_prep.sampling.templates import CHAT, Prompt
from data_prep.sources.records import read_located
from data_prep.writing.files import sha256_of

SampleKey = tuple[int, int]
"""Row number, from 1, and number of the response to it, from 0."""


def measure(options: argparse.Namespace, make_sampler: Callable[[EngineSettings], Sampler]) -> str:
    """Do what the module says and return a summary; `make_sampler` is called only if a response is missing.

    Raises OSError, ValueError or SamplerError, in which case the output has not been written.
    """
    preset = COLUMNS_PRESET.read_at("problem", options.problem_column).read_at("answer", options.answer_column)
    records = islice(read_located([options.input], options.split, options.config), options.limit)
    problems = read_problem_records(records, preset)
    encode([problem.with_rate(0.0) for problem in problems], options.output)  # What cannot be written fails now.
    context_length = checkpoint.context_length(options.model)
    chats = ((f"{options.input}, row {number}", problem.messages) for number, problem in enumerate(problems, start=1))
    prompts = build_prompts(options.template, chats, load_tokenizer(options.model), context_length)
    jobs = list(_jobs(problems, prompts, options, context_length))
    with Journal(_journal_path(options.output), _settings(options), options.overwrite) as journal:
        accuracies: dict[SampleKey, float] = {
            (each["row"], each["sample"]): each["accuracy"] for each in journal.records
        }
        missing = [job for job in jobs if job.key not in accuracies]
        sampler = LazySampler(lambda: make_sampler(_engine_settings(options, prompts, context_length)))
        with tqdm(desc="sampling", total=len(jobs), initial=len(jobs) - len(missing), unit="response") as progress:
            for outcomes in run_jobs(sampler, missing, options.chunk_size):
                journal.append(map(_record, outcomes))
                accuracies |= {outcome.job.key: outcome.accuracy for outcome in outcomes}
                progress.update(len(outcomes))
    rates = [
        fmean(accuracies[number, sample] for sample in range(options.num_samples))
        for number in range(1, len(problems) + 1)
    ]
    write_records([problem.with_rate(rate) for problem, rate in zip(problems, rates, strict=True)], options.output)
    return _summary(rates)


def _jobs(
    problems: Sequence[ProblemRecord], prompts: Sequence[Prompt], options: argparse.Namespace, context_length: int
) -> Iterator[Job[SampleKey]]:
    for number, (problem, prompt) in enumerate(zip(problems, prompts, strict=True), start=1):
        max_tokens = min(options.max_tokens, context_length - len(prompt.token_ids))
        for sample in range(options.num_samples):
            seed = request_seed(options.seed, number, sample, options.temperature)
            request = Request(prompt.token_ids, options.temperature, options.top_p, max_tokens, seed)
            yield Job((number, sample), request, problem.answers)


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return what a response depends on."""
    source = Path(options.input)
    return {
        "model": options.model,
        "model_files": checkpoint.fingerprint(options.model),
        "data": sha256_of(source) if source.is_file() else [options.input, options.config, options.split],
        "columns": [options.problem_column, options.answer_column],
        "template": options.template,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "max_tokens": options.max_tokens,
        "seed": options.seed,
    }


def _engine_settings(options: argparse.Namespace, prompts: Sequence[Prompt], context_length: int) -> EngineSettings:
    max_model_len = needed_length(prompts, options.max_tokens, context_length)
    return EngineSettings(options.model, max_model_len, options.tensor_parallel_size, options.gpu_memory_utilization)


def _record(outcome: Outcome[SampleKey]) -> Mapping[str, Any]:
    row, sample = outcome.job.key
    return {
        "row": row,
        "sample": sample,
        "accuracy": outcome.accuracy,
        "verify_status": outcome.verify_status,
        "num_tokens": len(outcome.sample.token_ids),
        "finish_reason": outcome.sample.finish_reason,
    }


def _journal_path(output: Path) -> Path:
    return output.with_name(f"{output.name}.journal.jsonl")


def _summary(rates: Sequence[float]) -> str:
    lines = [f"{rate:.4g}: {count:,} problems" for rate, count in sorted(Counter(rates).items())]
    return "\n".join([f"mean correctness rate {fmean(rates):.4f}; problems by rate:", *lines])


def main(
    arguments: Sequence[str] | None = None, make_sampler: Callable[[EngineSettings], Sampler] = VLLMSampler
) -> None:
    """Run the command; `make_sampler` loads the model."""
    parser = _make_parser()
    options = parser.parse_args(arguments)
    if options.temperature == 0 and options.num_samples > 1:
        parser.error("--temperature 0 is greedy, all responses would be equal; set --num-samples 1")
    try:
        summary = measure(options, make_sampler)
    except (OSError, ValueError, SamplerError) as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, f"\nStopped. The same command continues from {_journal_path(options.output)}\n")
    print(f"{options.output}\n{summary}")


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m data_prep.correctness_rate", description="Measure how often a model solves each problem."
    )
    parser.add_argument("--model", required=True, help="folder of a Hugging Face model, or its name on the hub")
    parser.add_argument("--input", required=True, help="file, folder, or name of a dataset on the Hugging Face hub")
    parser.add_argument("--output", type=Path, required=True, help="a .json, .jsonl or .parquet file")
    parser.add_argument(
        "--num-samples", type=positive, default=8, help="responses to each problem (default: %(default)s)"
    )
    parser.add_argument("--temperature", type=temperature, default=0.6, help="(default: %(default)s)")
    parser.add_argument("--problem-column", default="problem")
    parser.add_argument("--answer-column", default="answer")
    parser.add_argument("--split", help="of a dataset or folder (default: train)")
    parser.add_argument("--config", help="of a Hugging Face dataset that has several")
    add_model_options(parser, default_template=CHAT, default_max_tokens=1024)
    return parser


if __name__ == "__main__":
    cpu.prepare()  # Before anything imports torch, and not in `main`: it changes the environment of the process.
    main()
