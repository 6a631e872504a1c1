r"""Evaluates a checkpoint on benchmarks, and compares evaluations with each other and with the paper.

    python -m recipe.edge_grpo.evaluate --run RUN_DIR [--step N|last|best] [--data FILE…] --output-dir DIR
    python -m recipe.edge_grpo.evaluate --model MODEL --data FILE… --output-dir DIR [--protocol paper]
    python -m recipe.edge_grpo.evaluate --compare DIR… [--published] [--output-dir DIR]     (--help lists all options)

FILE has rows of verl, as `python -m data_prep.eval_suite` writes a file for each benchmark, or problems of your own
(.jsonl, .csv, .parquet and others), which `--preset` reads as `python -m data_prep.prepare` does. MODEL is a folder of
Hugging Face's format or a name on the hub, an FSDP checkpoint (`actor`) or a LoRA adapter; the last two are merged,
once. By default the model's own chat template is used, as in training. `--protocol paper` is the authors': temperature
0.1, one response a problem, at most 3,000 tokens, the template of Qwen2.5-Math. DIR gets

    results.json        accuracy with intervals, pass@k, maj@k, both averages, policy entropy, reflection; see `summary`
    results.md          the same as tables
    responses.parquet   every response with its grade
    settings.json       the options, and the versions of what computed
    MODEL_CARD.md       with --run: base model, training, data, results and versions on one page
    journal.jsonl       what the command continues from after a kill

and, of a comparison, comparison.md with what was printed.

The journal also serves more samples, problems (`--limit`), reflection texts, another `--k` or `--entropy`; with other
settings it is refused. On the CPU equal commands give equal results, byte for byte, interrupted or not; what holds on
GPUs is said in `data_prep.sampling.engine`.

Policy entropy, by `--entropy`:
    exact     mean over the tokens of the full-vocabulary entropy at the temperature, by a forward pass after sampling
    sampled   mean of -log p of the sampled tokens. Free, and as an estimate for all responses good; for the correct or
              the wrong ones alone it is not (see `policy_entropy`)
    none      not measured
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from data_prep.presets.table import PRESETS
from data_prep.sampling import cpu
from data_prep.sampling.engine import EngineSettings, Sampler, SamplerError, VLLMSampler
from data_prep.sampling.options import add_model_options, existing, positive, temperature
from data_prep.sampling.templates import CHAT
from recipe.edge_grpo.evaluate import outputs, run, steps
from recipe.edge_grpo.evaluate.model_card import write_model_card
from recipe.edge_grpo.evaluate.protocols import PROTOCOLS, follow_protocol, remark_on_protocols
from recipe.edge_grpo.evaluate.subject import Subject, add_subject_options, find_subject
from recipe.edge_grpo.evaluate.summary import SummarySettings, summarise

_GEC = OmegaConf.load(Path(__file__).parents[1] / "config" / "recipe" / "edge_grpo.yaml").edge_grpo.gec


def main(
    arguments: Sequence[str] | None = None, make_sampler: Callable[[EngineSettings], Sampler] = VLLMSampler
) -> None:
    """Run the command; `make_sampler` loads the model."""
    parser = _make_parser()
    options = parser.parse_args(arguments)
    try:
        print(_run(parser, options, list(sys.argv[1:] if arguments is None else arguments), make_sampler))
    except (OSError, ValueError, SamplerError) as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, "\nStopped. The same command continues where this one was.\n")


def _run(
    parser: argparse.ArgumentParser,
    options: argparse.Namespace,
    command: Sequence[str],
    make_sampler: Callable[[EngineSettings], Sampler],
) -> str:
    if options.compare is not None:
        return _compare(options)
    _check_combinations(parser, options)
    follow_protocol(options)
    subject = _find_subject(options)
    responses = run.evaluate(options, subject, make_sampler)
    summary = {**summarise(responses, SummarySettings(options.k)), "entropy_method": options.entropy}
    tables = outputs.write_outputs(options.output_dir, responses, summary, _settings(options, subject))
    if subject.run is not None:
        write_model_card(options.output_dir, subject, tables, outputs.installed_versions(), command)
    return tables


def _find_subject(options: argparse.Namespace) -> Subject:
    subject = find_subject(options)
    for warning in subject.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return subject


def _settings(options: argparse.Namespace, subject: Subject) -> dict[str, Any]:
    return {**vars(options), **subject.settings()}


def _compare(options: argparse.Namespace) -> str:
    remarks = remark_on_protocols(options.compare) if options.published else ""
    comparison = outputs.compare_runs(options.compare, options.published) + remarks
    if options.output_dir is not None:
        outputs.write_comparison(options.output_dir, comparison, options.overwrite)
    return comparison


def _check_combinations(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    _check_subject(parser, options)
    if options.published:
        parser.error("--published goes with --compare")
    for name in ("data", "temperatures", "reflection_texts"):
        if len(set(getattr(options, name) or ())) < len(getattr(options, name) or ()):
            parser.error(f"--{name.replace('_', '-')} has the same value twice")
    if max(options.k) > options.num_samples:
        parser.error(f"--k {max(options.k)} needs as many samples, and --num-samples is {options.num_samples}")
    if 0 in options.temperatures and options.num_samples > 1:
        parser.error("--temperatures 0 is greedy, all samples would be equal; set --num-samples 1")
    if options.entropy == steps.SAMPLED and options.top_p < 1:
        parser.error(f"--entropy sampled sees only what --top-p {options.top_p} leaves; use --entropy exact or none")


def _check_subject(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.run is not None and options.model is not None:
        parser.error("--run and --model contradict each other; leave one of the two away")
    if options.step is not None and options.run is None:
        parser.error("--step goes with --run")
    for name in ("output_dir",) if options.run else ("model", "data", "output_dir"):
        if getattr(options, name) is None:
            instead = {"model": "--run or --compare", "data": "--run or --compare"}.get(name, "--compare")
            parser.error(f"--{name.replace('_', '-')} is needed, or {instead}")


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m recipe.edge_grpo.evaluate", description="Evaluate a checkpoint, or compare evaluations."
    )
    parser.add_argument("--model", help="a model folder or its name on the hub, an FSDP checkpoint or a LoRA adapter")
    _add_data_options(parser)
    parser.add_argument("--output-dir", type=Path)
    parser.add_argument(
        "--num-samples", type=positive, default=1, help="responses to a problem at each temperature (default: 1)"
    )
    parser.add_argument(
        "--temperatures", "--temperature", type=temperature, nargs="+", default=[0.1], help="(default: 0.1)"
    )
    parser.add_argument("--k", type=positive, nargs="+", default=[1], help="of pass@k and maj@k (default: 1)")
    parser.add_argument("--entropy", choices=steps.ENTROPIES, default=steps.EXACT, help="(default: %(default)s)")
    parser.add_argument(
        "--reflection-texts",
        nargs="*",
        action=_TextsOrThePapers,
        default=[],
        metavar="TEXT",
        help="let the policy continue its wrong responses after each text; without a text: "
        f"{list(_GEC.reflection_texts)}",
    )
    parser.add_argument(
        "--max-reflection-tokens",
        type=positive,
        default=_GEC.max_new_tokens,
        help="that it continues with (default: %(default)s)",
    )
    add_model_options(parser, default_template=CHAT, default_max_tokens=3000)
    parser.set_defaults(template=None)  # so that --protocol can tell whether it was given
    add_subject_options(parser)
    protocol = parser.add_argument_group("protocol")
    protocol.add_argument("--protocol", choices=PROTOCOLS, help="how others have evaluated, to compare with them")
    several = parser.add_argument_group("comparison (needs no model)")
    several.add_argument("--compare", type=existing, nargs="*", metavar="DIR", help="output folders of evaluations")
    several.add_argument("--published", action="store_true", help="and the rows of the paper's tables")
    return parser


def _add_data_options(parser: argparse.ArgumentParser) -> None:
    data = parser.add_argument_group("problems")
    data.add_argument(
        "--data", type=existing, nargs="+", metavar="FILE", help="rows of verl, or problems; any kind data_prep reads"
    )
    data.add_argument(
        "--preset",
        choices=PRESETS,
        help="where files that have no rows of verl keep problem and answer (default: columns problem and answer); "
        "python -m data_prep.prepare --help describes them",
    )
    data.add_argument("--instruction", help="text to append to the problems of such files (default: the preset's)")


class _TextsOrThePapers(argparse.Action):
    """Takes the text of the paper where the option is given without one."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        setattr(namespace, self.dest, list(values or _GEC.reflection_texts))


if __name__ == "__main__":
    cpu.prepare()  # Before anything imports torch, and not in `main`: it changes the environment of the process.
    main()
