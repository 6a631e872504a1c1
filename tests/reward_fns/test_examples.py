"""Every public function of reward_fns shows an example of itself in its docstring, and each example is true."""

import importlib
import inspect
import pkgutil
import re

import pytest

import reward_fns

MODULES = [importlib.import_module(found.name) for found in pkgutil.walk_packages(reward_fns.__path__, "reward_fns.")]
FUNCTIONS = [
    (module, function)
    for module in MODULES
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__ and not name.startswith("_")
]

# They start, end or are processes, or need an event loop, or are contexts.
WITHOUT_EXAMPLE = {"compute_score", "get_shared_pool", "close_shared_pool", "main", "computing_to_more_digits"}


def test_the_functions_are_found():
    assert len(FUNCTIONS) > 35
    assert {function.__name__ for _, function in FUNCTIONS} > WITHOUT_EXAMPLE


@pytest.mark.parametrize(("module", "function"), FUNCTIONS, ids=[function.__name__ for _, function in FUNCTIONS])
def test_the_example_of_a_function_is_true(module, function):
    examples = re.findall(rf"`({function.__name__}\(.* (?:==|is) .*)`", inspect.getdoc(function) or "")
    assert bool(examples) != (function.__name__ in WITHOUT_EXAMPLE)
    for example in examples:
        assert eval(example, vars(module)) is True, example
