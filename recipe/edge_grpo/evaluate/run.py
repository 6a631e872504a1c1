"""Runs one evaluation, from problems to graded responses, continuing from what its journal holds.

first passes -> continuations of wrong ones, where reflection texts are given -> entropies of the first passes
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from data_prep.quality.token_lengths import load_tokenizer
from data_prep.sampling import checkpoint
from data_prep.sampling.engine import EngineSettings, LazySampler, Sampler
from data_prep.sampling.journal import Journal
from data_prep.sampling.prompts import build_prompts, needed_length
from data_prep.writing.files import sha256_of
from recipe.edge_grpo.evaluate.benchmarks import RowReading, read_benchmarks
from recipe.edge_grpo.evaluate.jobs import PromptedProblem, SamplingPlan
from recipe.edge_grpo.evaluate.responses import GradedResponse
from recipe.edge_grpo.evaluate.steps import Evaluation
from recipe.edge_grpo.evaluate.store import ResponseStore
from recipe.edge_grpo.evaluate.subject import Subject

JOURNAL = "journal.jsonl"


def evaluate(
    options: argparse.Namespace, subject: Subject, make_sampler: Callable[[EngineSettings], Sampler]
) -> list[GradedResponse]:
    """Return the graded responses that the options of the command ask for, of the policy that is its subject.

    What the journal in `options.output_dir` holds is not done again; if nothing is missing, no model is loaded.

    Raises OSError or ValueError for files, rows or a journal that cannot be used, SamplerError without vLLM.
    """
    grade = subject.reward.grade()
    problems = read_benchmarks(subject.data, options.limit, RowReading(options.preset, options.instruction))
    context_length = checkpoint.context_length(subject.model)
    tokenizer = load_tokenizer(subject.model)
    prompting = subject.prompting
    prompting.prepare_tokenizer(tokenizer, subject.model)
    chats = ((problem.place, prompting.messages(problem.messages)) for problem in problems)
    prompts = build_prompts(prompting.template, chats, tokenizer, context_length, prompting.chat_options)
    text_ids = {text: tokenizer.encode(text, add_special_tokens=False) for text in options.reflection_texts}
    longest_reflection = max(map(len, text_ids.values())) + options.max_reflection_tokens if text_ids else 0
    engine = EngineSettings(
        subject.model,
        needed_length(prompts, options.max_tokens + longest_reflection, context_length),
        options.tensor_parallel_size,
        options.gpu_memory_utilization,
    )
    plan = SamplingPlan(options.seed, options.top_p, options.max_tokens, options.max_reflection_tokens, context_length)
    with Journal(options.output_dir / JOURNAL, journal_settings(options, subject), options.overwrite) as journal:
        evaluation = Evaluation(
            {
                (problem.benchmark, problem.index): PromptedProblem(problem, prompt)
                for problem, prompt in zip(problems, prompts, strict=True)
            },
            plan,
            ResponseStore(journal),
            LazySampler(lambda: make_sampler(engine)),
            options.chunk_size,
            grade,
        )
        first_passes = evaluation.sample_first_passes(options.temperatures, options.num_samples)
        continuations = evaluation.sample_continuations(first_passes, text_ids)
        evaluation.close_sampler()  # Its memory is needed for the forward passes.
        entropies = evaluation.entropies(first_passes, options.entropy, subject.model)
    return [replace(response, mean_entropy=entropies.get(response.key)) for response in first_passes + continuations]


def journal_settings(options: argparse.Namespace, subject: Subject) -> dict[str, Any]:
    """Return what a response depends on, apart from its key."""
    return {
        "model": subject.model,
        "model_files": checkpoint.fingerprint(subject.model),
        "data": [[path.name, sha256_of(path)] for path in subject.data],
        # None, as they are without the options, equals their absence from the journals of earlier versions.
        "preset": options.preset,
        "instruction": options.instruction,
        **subject.prompting.settings(),
        "reward": subject.reward.settings(),
        "temperatures": options.temperatures,
        "top_p": options.top_p,
        "max_tokens": options.max_tokens,
        "max_reflection_tokens": options.max_reflection_tokens,
        "seed": options.seed,
    }
