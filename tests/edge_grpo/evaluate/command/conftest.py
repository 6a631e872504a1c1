"""The command `evaluate` on two small benchmarks; a stand-in samples in vLLM's place."""

import pytest

from data_prep.writing.rows import build_row, write_parquet
from recipe.edge_grpo.evaluate import __main__ as evaluate


@pytest.fixture
def data(tmp_path):
    """Two benchmarks of three problems, one of which accepts two answers."""
    for name, answer in (("amc", "7"), ("minerva", ["7", "seven"])):
        rows = [
            build_row(data_source=name, problem=f"What is {i}?", answer=answer, solution="", index=i, split="test")
            for i in range(3)
        ]
        write_parquet(rows, tmp_path / f"{name}.parquet")
    return [str(tmp_path / f"{name}.parquet") for name in ("amc", "minerva")]


@pytest.fixture
def run(data, tmp_path, untrained_model):
    """run(sampler, *options, name="out"): the folder that the command wrote. Without entropies: they take a model."""

    def run(sampler, *options, name="out"):
        arguments = ["--model", str(untrained_model), "--data", *data, "--output-dir", str(tmp_path / name)]
        arguments += ["--num-samples", "2", "--chunk-size", "5", "--entropy", "none", *options]
        evaluate.main(arguments, make_sampler=sampler)
        return tmp_path / name

    return run


@pytest.fixture
def refused(capsys):
    """refused(call, *arguments): the message of a call that exits with code 2."""

    def refused(call, *arguments):
        with pytest.raises(SystemExit) as stopped:
            call(*arguments)
        assert stopped.value.code == 2
        return capsys.readouterr().err

    return refused
