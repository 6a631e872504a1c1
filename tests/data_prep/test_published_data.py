"""The paper's own data through the commands, and the files through verl's loader."""

import asyncio
from pathlib import Path

import datasets
import pytest
from omegaconf import OmegaConf
from verl.utils.dataset.rl_dataset import RLHFDataset

from data_prep import arithmetic, deepscaler, eval_suite
from data_prep.eval_suite import BENCHMARKS
from data_prep.quality.token_lengths import prompt_lengths
from data_prep.writing.card import CARD_NAME
from recipe.edge_grpo.quickstart.tiny_policy.architecture import train_tokenizer
from reward_fns.math_reward import compute_score

DATA = Path(__file__).parents[3] / "shared" / "data"
HARD_1K = DATA / "deepscaler_hard-1k.json"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not HARD_1K.exists(), reason="the paper's data is not part of this repository"),
]


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    folder = tmp_path_factory.mktemp("suite")
    eval_suite.main(["--input", str(DATA / "evaluation_suite"), "--output-dir", str(folder)])
    return folder


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(["What is 12+5?"], vocab_size=280, max_length=4096)


@pytest.fixture
def load(tmp_path, monkeypatch, tokenizer):
    """Load files as verl does, without the prompts over `max_prompt_length` tokens."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")

    def load_files(files, max_prompt_length):
        config = {"max_prompt_length": max_prompt_length, "filter_overlong_prompts": True}
        config["filter_overlong_prompts_workers"] = 1
        return RLHFDataset([str(file) for file in files], tokenizer, OmegaConf.create(config))

    return load_files


def test_hard_1k_has_990_distinct_problems(tmp_path, capsys):
    deepscaler.main(["--input", str(HARD_1K), "--output-dir", str(tmp_path), "--no-verification"])
    output = " ".join(capsys.readouterr().out.split())
    assert "| in | 1,000 | |" in output
    assert "| dropped: duplicate | 10 | 191, 437, 497, 661, 787, … |" in output
    assert "| dropped: same problem, different answers | 0 | |" in output
    assert "| out | 990 | |" in output


def test_problems_of_the_suite_are_kept_out_of_the_training_set(tmp_path, capsys):
    # Row 645 is a problem of MATH-500 to the letter, 508 and 829 are but for white space.
    options = ["--no-verification", "--exclude", str(DATA / "evaluation_suite")]
    deepscaler.main(["--input", str(HARD_1K), "--output-dir", str(tmp_path), *options])
    output = " ".join(capsys.readouterr().out.split())
    assert "| dropped: in an excluded file | 3 | 508, 645, 829 |" in output
    assert "| out | 987 | |" in output


def test_the_training_set_of_the_paper_is_made_with_its_duplicates(tmp_path, load, tokenizer):
    options = ["--keep-duplicates", "--no-verification"]
    deepscaler.main(["--input", str(HARD_1K), "--output-dir", str(tmp_path), *options])
    loaded = load([tmp_path / "train.parquet"], max_prompt_length=100_000)
    assert [row["index"] for row in loaded] == list(range(1000))
    # The prompts that our count finds too long are those that verl leaves out.
    lengths = prompt_lengths(tokenizer, [row["raw_prompt"][0]["content"] for row in loaded])
    assert 0 < sum(length > 512 for length in lengths) < 1000
    filtered = load([tmp_path / "train.parquet"], max_prompt_length=512)
    assert len(filtered) == sum(length <= 512 for length in lengths)


def test_the_five_files_of_the_suite_load_together_with_1560_problems(suite, load):
    loaded = load([suite / f"{name}.parquet" for name in BENCHMARKS], max_prompt_length=100_000)
    counts = {name: sum(source == name for source in loaded.dataframe["data_source"]) for name in BENCHMARKS}
    assert counts == {"aime24": 30, "amc": 83, "math500": 500, "minerva": 272, "olympiad_bench": 675}
    assert len(loaded) == 1560


def test_verl_hands_the_reward_a_list_of_which_it_accepts_each(suite, load):
    loaded = load([suite / "minerva.parquet"], max_prompt_length=100_000)
    answers = next(ground_truth for row in loaded if len(ground_truth := row["reward_model"]["ground_truth"]) > 1)
    assert answers == ["0.01", "0.02"]
    for answer, accuracy in (("0.01", 1.0), ("0.02", 1.0), ("0.03", 0.0)):
        score = asyncio.run(compute_score("minerva", f"\\boxed{{{answer}}}", answers))
        assert score["acc"] == accuracy


def test_the_card_counts_the_suite(suite):
    card = " ".join((suite / CARD_NAME).read_text().split())
    assert "| all | 1,560 | 1,560 | 40 | 1,560 |" in card


def test_generated_problems_load_too(tmp_path, load):
    arithmetic.main(["--output-dir", str(tmp_path), "--train-size", "20", "--test-size", "10"])
    assert len(load([tmp_path / "train.parquet", tmp_path / "test.parquet"], max_prompt_length=200)) == 30
