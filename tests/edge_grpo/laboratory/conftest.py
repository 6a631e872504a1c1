"""A tiny policy of random weights and problems of arithmetic, for the tests of the laboratory."""

import random

import pytest
import torch

from data_prep.arithmetic import build_rows, draw_distinct_problems


@pytest.fixture(autouse=True)
def one_thread():
    """As the command has it: at this size threads mostly wait for one another, on a busy machine for long."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


@pytest.fixture
def policy(untrained_model):
    """A policy of its own for each test: training changes it."""
    from recipe.edge_grpo.laboratory.training import load_policy

    return load_policy(untrained_model)


@pytest.fixture(scope="session")
def rows():
    """Twenty rows of the dataset."""
    return build_rows(draw_distinct_problems(random.Random(0), 20, {"easy": 1.0}), "train")


@pytest.fixture
def config():
    """config(recipe, *overrides): what the laboratory reads of a recipe."""
    from recipe.edge_grpo.laboratory.configuration import read_recipe

    return lambda name, *overrides: read_recipe(name, overrides)
