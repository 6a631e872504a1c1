"""Every public function of the method shows an example of itself; tests/test_examples.py runs them."""

import doctest
import importlib
import inspect

MODULES = [
    importlib.import_module(f"recipe.edge_grpo.{name}")
    for name in (
        "advantage",
        "intervals",
        *(f"comparators.{name}" for name in ("avspo", "egpo", "entropy_shaped", "groups", "ngrpo", "per_token")),
        *(f"comparators.{name}" for name in ("rl_zvp", "virtual_rewards")),
        *(f"settings.{name}" for name in ("block", "choices", "validation")),
        *(f"correction.{name}" for name in ("candidate", "contrast_guard", "corrector", "draws", "failure")),
        *(f"correction.{name}" for name in ("prompt_group", "record", "sessions", "strategies", "tokens")),
        *(f"training_step.{name}" for name in ("batch", "correction_metrics", "estimator", "injected_tokens")),
        *(f"training_step.{name}" for name in ("lost_sessions", "metrics", "outcomes", "policy_loss", "sub_steps")),
    )
]
FUNCTIONS = {
    f"{module.__name__.removeprefix('recipe.edge_grpo.')}.{name}": function
    for module in MODULES
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__ and not name.startswith("_")
}
WITHOUT_EXAMPLE = {
    # They take the whole block of the configuration, or settings of it.
    *("settings.block.parse_settings", "settings.block.read_settings"),
    *("correction.failure.accuracy_of", "correction.failure.has_failed", "correction.record.record_of_score"),
    *("correction.candidate.find_obstacle", "correction.candidate.first_pass_record"),
    # They take a whole batch as verl has stored it.
    *("training_step.batch.batch_entropy", "training_step.metrics.step_metrics"),
    "training_step.metrics.response_advantages",
    *("training_step.outcomes.response_outcomes", "training_step.outcomes.rollout_columns"),
    "training_step.sub_steps.sizes_of",
    # They are not pure: they wait for a group, set or read a context variable, or need verl.
    "correction.prompt_group.correct_group",
    *("training_step.estimator.edge_grpo_advantage", "training_step.estimator.entropy_ratio_for_estimator"),
    *("training_step.estimator.register", "training_step.policy_loss.register"),
    "training_step.policy_loss.edge_grpo_shaped_loss",
}


def examples_of(described):
    """The examples in the docstring itself, not in those of what it contains."""
    return doctest.DocTestParser().get_examples(inspect.getdoc(described) or "")


def test_every_public_function_of_a_pure_module_has_an_example():
    assert len(FUNCTIONS) > 50
    assert {name for name, function in FUNCTIONS.items() if not examples_of(function)} == WITHOUT_EXAMPLE
