"""The checks before the start, in their order. `look_before_start` runs them all, for a run and for the doctor.

Each takes what a run starts from and yields what it finds. One that breaks is a warning: no run is kept from starting
by the look at it.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from omegaconf import DictConfig, OmegaConf

from data_prep.quality.answer_forms import forms_asked
from recipe.edge_grpo.correction.reference import answer_of
from recipe.edge_grpo.run.preflight import data, prompts, reward
from recipe.edge_grpo.run.preflight.findings import Finding, Level, ok, refuse, warn
from recipe.edge_grpo.run.preflight.inputs import DataSet, Inputs, is_local_path, starts_own_ray
from recipe.edge_grpo.run.preflight.reward_probe import probe_reward
from recipe.edge_grpo.settings.block import BLOCK, read_settings
from recipe.edge_grpo.settings.choices import ProbabilitySchedule, Strategy

RENDERING_AGENT_LOOPS = ("single_turn_agent", "tool_agent")
"""verl's own, which render each prompt by the chat template."""

BATCH_OF = {"train_files": "train_batch_size", "val_files": None}


def look_before_start(config: DictConfig, is_this_machine: bool = True) -> list[Finding]:
    """Run every check, and return what they found; nothing without the block `edge_grpo:`.

    Args:
        config: the composed configuration.
        is_this_machine: False where the run starts elsewhere, so that files that are not here are no problem.
    """
    if config.get(BLOCK) is None:
        return []
    inputs = Inputs(config, is_this_machine and starts_own_ray(config))
    with ThreadPoolExecutor(1) as executor:
        probe = executor.submit(_probe, inputs)  # its process starts while the tokenizer loads
        found = [finding for name, check in CHECKS.items() for finding in _run(name, check, inputs)]
        return found + _run("reward", _check_reward, inputs, probe)


def announce_warnings(findings: list[Finding]) -> None:
    """Print the warnings among the findings, a line each."""
    for finding in findings:
        if finding.level is Level.WARNING:
            print(f"EDGE-GRPO: warning: {finding}", flush=True)


def _run(name: str, check: Callable[..., Iterator[Finding]], *arguments: Any) -> list[Finding]:
    try:
        return list(check(*arguments))
    except Exception as error:
        return [warn(f"{name} could not be looked at ({type(error).__name__}: {error})")]


def _check_model(inputs: Inputs) -> Iterator[Finding]:
    path = str(inputs.config.actor_rollout_ref.model.path)
    if inputs.model_folder is None:
        if is_local_path(path) and inputs.is_this_machine:
            yield refuse(f"actor_rollout_ref.model.path={path}: there is no such folder", "mend the path")
        else:
            yield ok(f"model: {path} is not on this machine, and was not looked at")
        return
    try:
        has_config = bool(inputs.model_config)
    except ValueError as error:
        yield refuse(f"actor_rollout_ref.model.path={path}: config.json is damaged ({error})", "save the model again")
        return
    if not has_config and not inputs.config.actor_rollout_ref.model.get("hf_config_path"):
        yield refuse(f"actor_rollout_ref.model.path={path}: no config.json in this folder", "name a model's folder")


def _check_tokenizer(inputs: Inputs) -> Iterator[Finding]:
    if inputs.tokenizer_folder is None:
        return
    try:
        yield ok(f"tokenizer: {type(inputs.tokenizer).__name__}, {len(inputs.tokenizer)} tokens")
    except Exception as error:  # whatever a damaged file makes the library raise
        text = f"{inputs.tokenizer_folder}: its tokenizer does not load ({str(error).splitlines()[0]})"
        has_other_way = bool(inputs.config.actor_rollout_ref.model.get("external_lib"))
        yield warn(text) if has_other_way else refuse(
            text, "save it with the model, or set actor_rollout_ref.model.tokenizer_path"
        )  # fmt: skip


def _check_data(inputs: Inputs) -> Iterator[Finding]:
    for key, data_set in inputs.data_sets.items():
        yield from data.check_files(data_set, inputs.is_this_machine)
        if not data_set.schemas:
            continue
        bad_columns = [
            finding
            for file_schema in data_set.schemas.values()
            for finding in data.check_columns(
                data_set.key, file_schema, inputs.config.data.prompt_key, _is_graded_by_function(inputs.config)
            )
        ]
        if key == "train_files" and puts_solutions(inputs.config):
            bad_columns += data.check_solutions(data_set.key, data_set.schemas.values())
        yield from dict.fromkeys([*bad_columns, *data.check_equal_types(data_set.key, data_set.schemas)])
        if not bad_columns:
            yield from _check_rows(inputs, key, data_set)


def _check_rows(inputs: Inputs, key: str, data_set: DataSet) -> Iterator[Finding]:
    config = inputs.config
    batch_key = BATCH_OF[key]
    batch_size = config.data[batch_key] if batch_key else 1
    max_samples = config.data.get(f"{key.removesuffix('_files')}_max_samples", -1)
    num_rows = min(data_set.num_rows, max_samples) if max_samples > 0 else data_set.num_rows
    num_overlong, limit = 0, config.data.max_prompt_length
    if _can_tokenize(inputs) and _is_rendered(inputs):
        measure = functools.partial(_measure, inputs)
        in_rows = [row[config.data.prompt_key] for row in data_set.rows]
        num_overlong = prompts.count_overlong(measure, in_rows, limit)
    is_filtered = bool(config.data.filter_overlong_prompts)
    lengths = prompts.check_lengths(data_set.key, num_overlong, len(data_set.rows), limit, is_filtered)
    # other rows may be shorter, and an agent loop of the user's may make other prompts
    yield from _soften(lengths, data_set.is_whole and (is_filtered or _has_rendering_agent_loop(config)))
    is_dropped = is_filtered and num_overlong and num_rows == data_set.num_rows
    if data_set.is_whole and not (is_dropped and num_overlong == num_rows):
        note = f" within data.max_prompt_length={limit}" if is_dropped else ""
        num_left = num_rows - num_overlong if is_dropped else num_rows
        yield from data.check_num_rows(data_set.key, num_left, batch_size, note)
    if _is_graded_by_function(config):
        must_have_gold = key == "train_files" and needs_gold(config)
        yield from data.check_golds(data_set.key, data_set.rows, must_have_gold, is_own_reward(config))
        yield from data.check_data_sources(data_set.key, data_set.rows)


def _measure(inputs: Inputs, batch: list[Any]) -> list[int]:
    data_config = inputs.config.data
    options = _template_options(inputs.config)
    return prompts.measure_prompts(inputs.tokenizer, batch, options, data_config.max_prompt_length)


def _check_template(inputs: Inputs) -> Iterator[Finding]:
    rows = _training_rows(inputs)
    if not rows or not _can_tokenize(inputs):
        return
    prompt = rows[0][inputs.config.data.prompt_key]
    found = prompts.check_template(inputs.tokenizer, prompt, _template_options(inputs.config))
    # an agent loop of the user's may do without
    yield from _soften(found, _has_rendering_agent_loop(inputs.config) or inputs.config.data.filter_overlong_prompts)


def _soften(findings: Iterator[Finding], is_certain: bool) -> Iterator[Finding]:
    """Make warnings of problems that are not certain."""
    for finding in findings:
        yield finding if is_certain or finding.level is not Level.PROBLEM else warn(finding.text, finding.fix)


def _has_rendering_agent_loop(config: DictConfig) -> bool:
    return config.actor_rollout_ref.rollout.agent.default_agent_loop in RENDERING_AGENT_LOOPS


def _is_rendered(inputs: Inputs) -> bool:
    return all(finding.level is Level.OK for finding in _check_template(inputs))


def _check_context(inputs: Inputs) -> Iterator[Finding]:
    rollout, model = inputs.config.actor_rollout_ref.rollout, inputs.model_config
    num_positions = (model.get("text_config") or model).get("max_position_embeddings")
    overrides = inputs.config.actor_rollout_ref.model.get("override_config") or {}
    if "max_position_embeddings" in overrides or "rope_scaling" in overrides or model.get("rope_scaling"):
        num_positions = None  # the context is another than the file says
    lengths = (inputs.config.data.max_prompt_length, inputs.config.data.max_response_length)
    yield from prompts.check_context(*lengths, rollout.get("max_model_len"), num_positions)


def _probe(inputs: Inputs) -> reward.Probe | None:
    """Call the reward function with a training row; None where there is no function or no row to try it with."""
    custom = inputs.config.reward.custom_reward_function
    row, gold = _first_graded_row(inputs)
    if not _is_graded_by_function(inputs.config) or gold is None:
        return None
    if "://" in (custom.path or "") and not custom.path.startswith(("pkg://", "file://")):
        return None
    settings = read_settings(inputs.config)
    function = {**OmegaConf.to_container(custom, resolve=True), "accuracy_key": settings.gec.accuracy_key}  # type: ignore[dict-item]
    if not custom.path:
        function |= reward.VERLS_REWARD
    return probe_reward(function, row, gold)


def _check_reward(inputs: Inputs, probing: "Future[reward.Probe | None]") -> Iterator[Finding]:
    probe = probing.result()
    if probe is None:
        return
    path, rows = inputs.config.reward.custom_reward_function.path, _training_rows(inputs)
    _, gold = _first_graded_row(inputs)
    yield from reward.check_grades(path, gold or "", probe, inputs.is_this_machine)
    if _can_tokenize(inputs):
        some = rows[:: max(1, len(rows) // prompts.NUM_PROMPTS_READ)][: prompts.NUM_PROMPTS_READ]
        options, prompt_key = _template_options(inputs.config), inputs.config.data.prompt_key
        texts = [prompts.render(inputs.tokenizer, row[prompt_key], options) for row in some]
        yield from reward.check_forms(path, forms_asked(texts), len(texts), probe)


def needs_gold(config: DictConfig) -> bool:
    """Return True if a training row without a reference answer cannot be used.

    So it is where responses are corrected, and our reward grades them, or a correction tells the answer that another
    function grades. Of a reward model nothing of the kind is known.
    """
    gec = read_settings(config).gec
    tells_nothing = gec.probabilities[Strategy.ANSWER] == gec.probabilities[Strategy.SOLUTION] == 0
    only_reflects = gec.schedule is ProbabilitySchedule.FIXED and tells_nothing
    return gec.enabled and not config.reward.reward_model.enable and (is_own_reward(config) or not only_reflects)


def puts_solutions(config: DictConfig) -> bool:
    """Return True if every group is to have a reference solution in it."""
    gec = read_settings(config).gec
    return gec.enabled and gec.solution_in_every_group


def is_own_reward(config: DictConfig) -> bool:
    """Return True if responses are graded by the reward of this project, which compares final answers."""
    return bool(config.reward.custom_reward_function.path == reward.OWN_REWARD)


def _is_graded_by_function(config: DictConfig) -> bool:
    manager = config.reward.reward_manager
    return not config.reward.reward_model.enable and manager.source == "register"


def _training_rows(inputs: Inputs) -> list[dict[str, Any]]:
    """Return the rows that were read, if they have prompts."""
    data_set = inputs.data_sets.get("train_files")
    prompt_key = inputs.config.data.prompt_key
    return [row for row in data_set.rows if isinstance(row.get(prompt_key), list)] if data_set else []


def _first_graded_row(inputs: Inputs) -> tuple[dict[str, Any], str | None]:
    """Return the first training row with a reference answer, and that answer; an empty row and None if none has."""
    with_answers = ((row, answer_of(row)) for row in _training_rows(inputs))
    return next((found for found in with_answers if found[1] is not None), ({}, None))


def _can_tokenize(inputs: Inputs) -> bool:
    """Return True for a text model whose tokenizer is here; a processor counts tokens of its own."""
    try:
        return inputs.tokenizer is not None and not inputs.has_processor
    except Exception:  # reported by the check of the tokenizer
        return False


def _template_options(config: DictConfig) -> Mapping[str, Any]:
    options = config.data.get("apply_chat_template_kwargs") or {}
    return OmegaConf.to_container(options, resolve=True) if isinstance(options, DictConfig) else options  # type: ignore[return-value]


CHECKS: dict[str, Callable[[Inputs], Iterator[Finding]]] = {
    "model": _check_model,
    "tokenizer": _check_tokenizer,
    "data": _check_data,
    "chat template": _check_template,
    "context": _check_context,
}
