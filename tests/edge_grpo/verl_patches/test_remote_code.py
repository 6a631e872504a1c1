"""Code that comes with a model is run only where the user says so."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import recipe.edge_grpo
from recipe.edge_grpo.verl_patches.activation import RUN_VARIABLE

ROOT = Path(recipe.edge_grpo.__file__).parents[2]
MODULES = [path for folder in ("recipe", "reward_fns", "data_prep") for path in sorted((ROOT / folder).rglob("*.py"))]

# transformers runs this file when it loads the tokenizer of the folder, if it may.
CODE = """
from pathlib import Path
from transformers import PreTrainedTokenizerFast

class Tokenizer(PreTrainedTokenizerFast):
    pass

(Path({folder!r}) / "was_run").touch()
"""

# verl's reward worker in a process of its own, which the plugin has reached by `import verl` alone. No Ray is needed.
REWARD_WORKER = """
import sys
import verl
from hydra import compose, initialize_config_module
from verl.experimental.reward_loop import reward_loop

with initialize_config_module("verl.trainer.config", version_base=None):
    config = compose("ppo_trainer", overrides=["+recipe=edge_grpo", *sys.argv[1:]])
reward_loop.migrate_legacy_reward_impl(config)
worker = object.__new__(reward_loop.RewardLoopWorker)
worker.config, worker.reward_router_address = config, None
load_tokenizer = reward_loop.hf_tokenizer
try:
    worker._init_reward_fn()
finally:
    print("RESTORED", reward_loop.hf_tokenizer is load_tokenizer)
print("TOKENIZER", type(worker.input_tokenizer).__name__, type(worker.reward_manager).__name__)
"""


@pytest.fixture
def model(untrained_model, tmp_path):
    """A model's folder whose tokenizer names a Python file."""
    folder = tmp_path / "model"
    shutil.copytree(untrained_model, folder)
    (folder / "its_code.py").write_text(CODE.format(folder=str(tmp_path)))
    file = folder / "tokenizer_config.json"
    settings = json.loads(file.read_text()) | {"tokenizer_class": "Tokenizer"}
    settings["auto_map"] = {"AutoTokenizer": [None, "its_code.Tokenizer"]}
    file.write_text(json.dumps(settings))
    return folder


def init_reward_worker(model, *overrides):
    command = [sys.executable, "-c", REWARD_WORKER, f"actor_rollout_ref.model.path={model}", *overrides]
    environment = os.environ | {RUN_VARIABLE: "1"}  # as in the processes of a run of ours
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL, env=environment
    )


@pytest.mark.process
def test_the_reward_worker_does_not_run_a_tokenizers_code_unasked(model, tmp_path):
    done = init_reward_worker(model)
    assert "RESTORED True" in done.stdout, done.stderr
    assert not (tmp_path / "was_run").exists()


@pytest.mark.process
def test_the_reward_worker_runs_a_tokenizers_code_if_the_user_trusts_it(model, tmp_path):
    done = init_reward_worker(model, "actor_rollout_ref.model.trust_remote_code=True")
    assert done.returncode == 0, done.stderr
    assert "RESTORED True" in done.stdout
    assert "TOKENIZER Tokenizer " in done.stdout
    assert (tmp_path / "was_run").exists()


def dangers(source):
    """What in a module can run code of a file that it reads: "line: what"."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [getattr(node, "module", None), *(alias.name for alias in node.names)]
            if {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"} & {
                str(name).split(".")[0] for name in names
            }:
                yield f"{node.lineno}: imports a module that unpickles"
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if called == "torch.load" and given.get("weights_only") != "True":
                yield f"{node.lineno}: torch.load without weights_only=True"
            if called.endswith(("read_pickle", "yaml.load", "yaml.unsafe_load")) or called in ("eval", "exec"):
                yield f"{node.lineno}: {called}"
            if given.get("allow_pickle", "False") != "False":
                yield f"{node.lineno}: allow_pickle"
            if given.get("trust_remote_code") == "True":
                yield f"{node.lineno}: trust_remote_code=True"
        elif isinstance(node, ast.Dict) and "trust_remote_code" in {getattr(key, "value", None) for key in node.keys}:
            entries = zip(node.keys, node.values, strict=True)
            if any(
                getattr(key, "value", None) == "trust_remote_code" and ast.unparse(value) == "True"
                for key, value in entries
            ):
                yield f"{node.lineno}: trust_remote_code is True"


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import ray.cloudpickle as p\nfrom ray import cloudpickle",
        "torch.load(file)",
        "torch.load(file, weights_only=False)",
        "AutoTokenizer.from_pretrained(path, trust_remote_code=True)",
        "options = {'trust_remote_code': True}",
        "np.load(file, allow_pickle=True)",
        "yaml.load(text)",
        "eval(text)",
    ],
)
def test_the_search_finds_what_it_is_for(source):
    assert list(dangers(source))


def test_the_search_lets_harmless_code_pass():
    harmless = (
        "torch.load(file, weights_only=True)\nmodel.eval()\nyaml.safe_load(text)\nnp.load(file)\nload(**{'a': True})"
    )
    assert list(dangers(harmless)) == []


def test_no_module_unpickles_evaluates_or_trusts_what_it_reads():
    assert len(MODULES) > 100
    found = {str(path.relative_to(ROOT)): list(dangers(path.read_text(encoding="utf-8"))) for path in MODULES}
    assert {path: each for path, each in found.items() if each} == {}
