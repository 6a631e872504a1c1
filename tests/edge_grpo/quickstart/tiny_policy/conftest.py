"""A tiny policy that was supervised for two steps, and the data that it was kept away from."""

from dataclasses import replace

import pytest
from transformers import AutoTokenizer

from data_prep import arithmetic
from recipe.edge_grpo.quickstart.tiny_policy.build import DEFAULT_PLAN, build_model_folder


@pytest.fixture(scope="session")
def brief_plan():
    """Two steps of supervision: enough for a folder, and done in a moment."""
    return replace(DEFAULT_PLAN, num_steps=2, batch_size=4)


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    directory = tmp_path_factory.mktemp("data")
    arithmetic.main(["--output-dir", str(directory), "--train-size", "12", "--test-size", "4"])
    return directory


@pytest.fixture(scope="session")
def model_dir(data_dir, brief_plan, tmp_path_factory):
    directory = tmp_path_factory.mktemp("models") / "tiny"
    build_model_folder(data_dir, directory, plan=brief_plan)
    return directory


@pytest.fixture(scope="session")
def tokenizer(model_dir):
    return AutoTokenizer.from_pretrained(model_dir)
