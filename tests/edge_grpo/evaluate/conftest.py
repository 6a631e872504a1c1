"""What the tests of the evaluation share: graded responses with ordinary values where a test does not care."""

import pyarrow.parquet
import pytest

from recipe.edge_grpo.evaluate.responses import GradedResponse


@pytest.fixture
def graded():
    """graded(accuracy, **fields): a response of that accuracy."""

    def graded(accuracy=1.0, **fields):
        ordinary = {
            "benchmark": "aime24",
            "problem_index": 0,
            "sample_index": 0,
            "temperature": 0.1,
            "reflection_text": None,
            "prompt": "What is 1 + 1?",
            "response": r"It is \boxed{2}.",
            "ground_truth": "2",
            "has_box": True,
            "verify_status": "ok",
            "num_tokens": 10,
            "finish_reason": "stop",
            "mean_entropy": None,
        }
        return GradedResponse(accuracy=accuracy, **(ordinary | fields))

    return graded


@pytest.fixture
def read_responses():
    """read_responses(path): what `write_responses` wrote there."""
    return lambda path: [GradedResponse(**row) for row in pyarrow.parquet.read_table(path).to_pylist()]
