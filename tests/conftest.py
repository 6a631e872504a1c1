"""What tests of several packages need: a policy that costs nothing, and an end of what they started."""

import dataclasses
import functools
import inspect
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from data_prep.sampling.engine import EngineSettings, Request, Sample
from reward_fns.verifier.pool import close_shared_pool

VERL_IN_CODE = re.compile(r"^ *(from|import) verl\b|verl\.trainer\.config", re.MULTILINE)

pytest_plugins = ["support.training_runs", "support.fault_table", "support.slurm", "support.cpu_process"]

# Hypothesis fails an example that takes more than 200 ms, which a busy machine does to any of them.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `seam` what touches verl, by itself or by a fixture, and so can fail when verl changes."""
    for item in items:
        fixtures = getattr(item, "_fixtureinfo", None)
        definitions = [each for found in fixtures.name2fixturedefs.values() for each in found] if fixtures else []
        files = {item.path, *(Path(inspect.getfile(inspect.unwrap(each.func))) for each in definitions)}
        if any(names_verl(file) for file in files):
            item.add_marker("seam")


@functools.cache
def names_verl(file: Path) -> bool:
    """Return True if the file, or a program that it holds as text, imports verl or composes its configuration."""
    return file.suffix == ".py" and VERL_IN_CODE.search(file.read_text(encoding="utf-8")) is not None


@pytest.fixture(scope="module", autouse=True)
def no_verifier_outlives_its_module() -> Iterator[None]:
    """End the children of the answer verifier, which otherwise live as long as the process, here all the tests."""
    yield
    close_shared_pool()


@pytest.fixture(scope="session")
def untrained_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny model with random weights, and its tokenizer."""
    from recipe.edge_grpo.quickstart.tiny_policy.architecture import build_tokenizer, build_untrained_model

    folder = tmp_path_factory.mktemp("untrained") / "model"
    tokenizer = build_tokenizer()
    build_untrained_model(tokenizer, seed=0).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tokenizer(untrained_model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(untrained_model)


@dataclasses.dataclass
class ScriptedSampler:
    """Stands in for vLLM: what it answers depends on the request alone, as a request with a seed does.

    It fails when more requests come than it can serve, as a process that is killed then would.
    """

    tokenizer: Any
    answer: Callable[[Request], str]
    num_served_at_most: int | None = None
    settings: list[EngineSettings] = dataclasses.field(default_factory=list)
    requests: list[Request] = dataclasses.field(default_factory=list)
    is_closed: bool = False

    def __call__(self, settings: EngineSettings) -> "ScriptedSampler":
        """The `make_sampler` of a command."""
        self.settings.append(settings)
        return self

    def sample(self, requests: Sequence[Request]) -> list[Sample]:
        self.requests += requests
        if self.num_served_at_most is not None and len(self.requests) > self.num_served_at_most:
            raise KeyboardInterrupt
        return [self._sample(request) for request in requests]

    def close(self) -> None:
        self.is_closed = True

    def _sample(self, request: Request) -> Sample:
        text = self.answer(request)
        token_ids = (*self.tokenizer.encode(text, add_special_tokens=False), self.tokenizer.eos_token_id)
        return Sample(token_ids, text, "stop", surprisal=0.5 if request.temperature > 0 else None)


@pytest.fixture
def scripted_sampler(tokenizer: Any) -> Callable[..., ScriptedSampler]:
    """scripted_sampler(answer, num_served_at_most=None): by default, "7" is boxed for half of the seeds, else "8"."""

    def answer_by_seed(request: Request) -> str:
        return rf"\boxed{{{7 + request.seed % 2}}}"

    def make(
        answer: Callable[[Request], str] = answer_by_seed, num_served_at_most: int | None = None
    ) -> ScriptedSampler:
        return ScriptedSampler(tokenizer, answer, num_served_at_most)

    return make


@pytest.fixture(scope="session")
def arithmetic_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.parquet and test.parquet of arithmetic problems, 40 in the latter."""
    from data_prep import arithmetic

    folder = tmp_path_factory.mktemp("arithmetic")
    arithmetic.main(["--output-dir", str(folder), "--train-size", "8", "--test-size", "40"])
    return folder


@pytest.fixture(scope="session")
def half_trained_model(arithmetic_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny model that ends its responses, and is right in a few; takes 12 s."""
    from recipe.edge_grpo.quickstart.tiny_policy.build import DEFAULT_PLAN, build_model_folder

    folder = tmp_path_factory.mktemp("half_trained") / "model"
    build_model_folder(arithmetic_data, folder, plan=dataclasses.replace(DEFAULT_PLAN, num_steps=400))
    return folder


@pytest.fixture
def kill_when_written() -> Callable[..., None]:
    """kill_when_written(command, file, num_lines): start the command, and kill it when the file has so many lines."""

    def kill_when_written(command: Sequence[object], file: Path, num_lines: int) -> None:
        with tempfile.TemporaryFile("w+") as log:
            process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=subprocess.STDOUT)
            try:
                deadline = time.monotonic() + 300  # Only so that a command that hangs does not hang the tests.
                while not file.exists() or file.read_bytes().count(b"\n") < num_lines:
                    if process.poll() is not None or time.monotonic() > deadline:
                        log.seek(0)
                        pytest.fail(f"{file} has not got {num_lines} lines: {log.read()[-3000:]}")
                    time.sleep(0.01)
            finally:
                process.kill()
                process.wait()

    return kill_when_written
