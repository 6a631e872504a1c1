"""The starting model of CPU runs: its tokenizer, its folder, its supervision and the measurement of its groups."""

import os
import random
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, PreTrainedTokenizerFast

from data_prep import arithmetic
from data_prep.arithmetic_problems import LEVELS, Problem, Step, draw_problem
from recipe.edge_grpo.correction.tokens import answer_text
from recipe.edge_grpo.quickstart.tiny_policy import examples as tiny_examples
from recipe.edge_grpo.quickstart.tiny_policy import supervision as tiny_supervision
from recipe.edge_grpo.quickstart.tiny_policy.architecture import build_tokenizer
from recipe.edge_grpo.quickstart.tiny_policy.build import DEFAULT_PLAN, build_model_folder, read_problems
from recipe.edge_grpo.quickstart.tiny_policy.examples import (
    ANSWER_TEXT,
    IGNORED_LABEL,
    REFLECTION_TEXT,
    ExamplePlan,
    draw_unseen_problem,
    encode_example,
)
from recipe.edge_grpo.quickstart.tiny_policy.group_mix import GroupSampling, measure_group_mix

PLAN = replace(DEFAULT_PLAN, num_steps=2, batch_size=4)
PROBLEM = Problem("What is 1+1?", (Step(1, "+", 1),), "easy")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    directory = tmp_path_factory.mktemp("data")
    arithmetic.main(["--output-dir", str(directory), "--train-size", "12", "--test-size", "4"])
    return directory


@pytest.fixture(scope="module")
def model_dir(data_dir, tmp_path_factory):
    directory = tmp_path_factory.mktemp("models") / "tiny"
    build_model_folder(data_dir, directory, plan=PLAN)
    return directory


@pytest.fixture(scope="module")
def tokenizer(model_dir):
    return AutoTokenizer.from_pretrained(model_dir)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  two  spaces , and a comma .",
        "line\n\nbreaks\ttabs\r\n",
        r"\frac{1}{2}\cdot\sqrt{3} \le \boxed{42}.",
        "Ünïcödé: 四十二, ∑ ≤ π, 😀, ٤٢",
        "What is 12+5?",
    ],
)
def test_any_text_survives_the_tokenizer(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


def test_the_loaded_tokenizer_splits_text_as_the_trained_one_did(tokenizer):
    # transformers replaces the splitting rules saved with a Qwen2 checkpoint by its own.
    rng = random.Random(0)
    problems = [draw_problem(rng, difficulty) for difficulty in LEVELS for _ in range(20)]
    texts = [text for problem in problems for text in (problem.text, problem.solution)]
    texts += [REFLECTION_TEXT, answer_text(ANSWER_TEXT, "42"), r"\frac{1}{2} \le π,\n\n  x"]
    trained = build_tokenizer()
    assert [tokenizer.encode(text) for text in texts] == [trained.encode(text) for text in texts]


def test_every_digit_is_a_token_of_its_own(tokenizer):
    text = "120+345=465. 9 4"
    tokens = [tokenizer.decode([token_id]) for token_id in tokenizer.encode(text)]
    assert [token for token in tokens if any(map(str.isdigit, token))] == list("12034546594")


def test_a_chat_becomes_chatml(tokenizer):
    chat = [{"role": "user", "content": "What is 1+1?"}]
    rendered = tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
    assert rendered == "<|im_start|>user\nWhat is 1+1?<|im_end|>\n<|im_start|>assistant\n"
    assert tokenizer.encode(rendered)[0] == tokenizer.convert_tokens_to_ids("<|im_start|>")


def test_special_tokens_are_the_end_of_a_turn_and_padding(tokenizer):
    assert (tokenizer.eos_token, tokenizer.pad_token) == ("<|im_end|>", "<|endoftext|>")


def test_texts_of_training_are_short_in_tokens(tokenizer):
    assert len(tokenizer.encode(REFLECTION_TEXT)) == 7  # One a word and punctuation mark.
    assert len(tokenizer.encode(answer_text(ANSWER_TEXT, "123"))) <= 22
    rng = random.Random(0)
    problems = [draw_problem(rng, difficulty) for difficulty in LEVELS for _ in range(50)]
    chats = [[{"role": "user", "content": problem.text}] for problem in problems]
    prompts = [tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False) for chat in chats]
    assert max(len(tokenizer.encode(prompt)) for prompt in prompts) <= 50
    assert max(len(tokenizer.encode(problem.solution)) for problem in problems) <= 42


def test_the_folder_loads_as_an_ordinary_float32_qwen2(model_dir, tokenizer):
    model = AutoModelForCausalLM.from_pretrained(model_dir)
    config = model.config
    assert config.model_type == "qwen2"
    assert config.hidden_size // config.num_attention_heads in (32, 64, 128)
    assert config.tie_word_embeddings
    assert config.max_position_embeddings == 4096
    assert config.vocab_size == len(tokenizer)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert (model_dir / "model.safetensors").is_file()
    generation = GenerationConfig.from_pretrained(model_dir)
    assert (generation.eos_token_id, generation.pad_token_id) == (tokenizer.eos_token_id, tokenizer.pad_token_id)


def test_the_same_arguments_give_the_same_weights_and_another_seed_others(data_dir, model_dir, tmp_path):
    build_model_folder(data_dir, tmp_path / "same", plan=PLAN)
    build_model_folder(data_dir, tmp_path / "other", seed=1, plan=PLAN)
    first, same, other = (
        (directory / "model.safetensors").read_bytes()
        for directory in (model_dir, tmp_path / "same", tmp_path / "other")
    )
    assert first == same != other
    assert (model_dir / "tokenizer.json").read_text() == (tmp_path / "other" / "tokenizer.json").read_text()


def test_a_complete_folder_is_kept_unless_forced_or_built_otherwise(data_dir, tmp_path):
    model_dir = tmp_path / "tiny"
    build_model_folder(data_dir, model_dir, plan=PLAN)
    weights = model_dir / "model.safetensors"
    weights.write_bytes(b"marker")
    assert "already built" in build_model_folder(data_dir, model_dir, plan=PLAN)
    assert weights.read_bytes() == b"marker"
    build_model_folder(data_dir, model_dir, plan=PLAN, should_rebuild=True)
    assert weights.read_bytes() != b"marker"
    weights.write_bytes(b"marker")
    build_model_folder(data_dir, model_dir, plan=replace(PLAN, num_steps=1))
    assert weights.read_bytes() != b"marker"
    assert os.listdir(tmp_path) == ["tiny"]


def interrupt(*arguments, **keywords):
    raise KeyboardInterrupt


def test_an_interrupted_build_leaves_nothing(data_dir, tmp_path, monkeypatch):
    # The tokenizer is saved after the weights, so half of the folder is there by then.
    monkeypatch.setattr(PreTrainedTokenizerFast, "save_pretrained", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build_model_folder(data_dir, tmp_path / "tiny", plan=PLAN)
    assert os.listdir(tmp_path) == []


def test_a_folder_with_other_files_is_not_replaced(data_dir, tmp_path):
    (tmp_path / "notes.txt").write_text("keep")
    with pytest.raises(FileExistsError, match="other"):
        build_model_folder(data_dir, tmp_path, plan=PLAN, should_rebuild=True)
    assert (tmp_path / "notes.txt").read_text() == "keep"


def test_missing_data_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="train.parquet"):
        build_model_folder(tmp_path, tmp_path / "tiny", plan=PLAN)


def learned_text(tokenizer, labels):
    return tokenizer.decode([label for label in labels if label != IGNORED_LABEL])


@pytest.mark.parametrize(
    ("slip_share", "self_correction_share", "text", "learned"),
    [
        (0, 0, "1+1=2\n\\boxed{2}<|im_end|>", "1+1=2\n\\boxed{2}<|im_end|>"),
        (1, 0, "1+1=3\n\\boxed{3}<|im_end|>", "1+1=3\n\\boxed{3}<|im_end|>"),
        (
            0,
            1,
            "1+1=3\n\\boxed{3} Wait! Something is wrong here.\n1+1=2\n\\boxed{2}<|im_end|>",
            "\n1+1=2\n\\boxed{2}<|im_end|>",
        ),
    ],
    ids=["solution", "slip", "self-correction"],
)
def test_examples_teach_the_response_but_neither_prompt_nor_attempt_to_be_corrected(
    tokenizer, monkeypatch, slip_share, self_correction_share, text, learned
):
    monkeypatch.setattr(tiny_examples, "solution_with_slip", lambda rng, problem: "1+1=3\n\\boxed{3}")
    plan = ExamplePlan({}, slip_share=slip_share, self_correction_share=self_correction_share)
    token_ids, labels = encode_example(random.Random(0), tokenizer, PROBLEM, plan)
    prompt = "<|im_start|>user\nWhat is 1+1?<|im_end|>\n<|im_start|>assistant\n"
    assert tokenizer.decode(token_ids) == prompt + text
    assert learned_text(tokenizer, labels) == learned
    assert all(label in (token_id, IGNORED_LABEL) for token_id, label in zip(token_ids, labels, strict=True))


def test_problems_of_the_dataset_are_not_supervised():
    rng = random.Random(0)
    seen = {draw_problem(rng, "easy").text for _ in range(300)}
    drawn = {draw_unseen_problem(rng, {"easy": 1.0}, seen).text for _ in range(100)}
    assert not drawn & seen


def test_the_loss_is_that_of_the_labelled_positions_whatever_the_padding(model_dir, tokenizer):
    model = AutoModelForCausalLM.from_pretrained(model_dir)
    plan = ExamplePlan({}, slip_share=0, self_correction_share=0)
    rng = random.Random(0)
    examples = [encode_example(rng, tokenizer, draw_problem(rng, name), plan) for name in ("easy", "hard")]
    losses, counts = [], []
    for token_ids, labels in examples:  # transformers' own loss, one example at a time, without padding.
        losses.append(model(input_ids=torch.tensor([token_ids]), labels=torch.tensor([labels])).loss)
        counts.append(sum(label != IGNORED_LABEL for label in labels))
    expected = sum(loss * count for loss, count in zip(losses, counts, strict=True)) / sum(counts)
    batch = tiny_examples.pad_right(examples, tokenizer.pad_token_id)
    torch.testing.assert_close(tiny_supervision._response_loss(model, *batch), expected)


class ScriptedModel:
    """Generates the responses of a script instead of sampling: one list of texts for each prompt."""

    def __init__(self, tokenizer, script):
        self.tokenizer, self.responses = tokenizer, [response for group in script for response in group]

    def generate(self, input_ids, num_return_sequences, **kwargs):
        assert len(self.responses) == len(input_ids) * num_return_sequences
        encoded = [self.tokenizer.encode(response) for response in self.responses]
        length = max(map(len, encoded))
        padded = torch.tensor([ids + [self.tokenizer.pad_token_id] * (length - len(ids)) for ids in encoded])
        return torch.cat([input_ids.repeat_interleave(num_return_sequences, dim=0), padded], dim=1)


def test_groups_are_sorted_by_their_correctness(tokenizer):
    right, wrong, unfinished = r"\boxed{2}.<|im_end|>", r"\boxed{3}.<|im_end|>", r"\boxed{3}. Wait!"
    script = [[right, right], [right, wrong], [wrong, unfinished], [wrong, r"\boxed{2}. \boxed{3}.<|im_end|>"]]
    problems = [(f"What is {number}?", "2") for number in range(4)]
    mix = measure_group_mix(ScriptedModel(tokenizer, script), tokenizer, problems, GroupSampling(group_size=2))
    # Groups: one all right, one mixed, two all wrong. Responses: 3 of 8 right; 7 of 8 end their turn.
    assert (mix.all_correct, mix.mixed, mix.all_wrong) == (0.25, 0.25, 0.5)
    assert (mix.accuracy, mix.finished) == (0.375, 0.875)
    lengths = [len(tokenizer.encode(response)) for response in (right, wrong, unfinished, script[3][1])]
    # right occurs 3 times, wrong 3 times, the other two once; the unfinished one is as long as the padded batch.
    longest = max(lengths)
    assert mix.mean_length == pytest.approx((3 * lengths[0] + 3 * lengths[1] + longest + lengths[3]) / 8)


def test_a_real_model_is_sampled_in_groups_and_reproducibly(model_dir, tokenizer, data_dir, monkeypatch):
    model = AutoModelForCausalLM.from_pretrained(model_dir)
    problems = read_problems(data_dir / "test.parquet")
    generate, outputs = model.generate, []

    def generate_and_record(*arguments, **options):
        outputs.append(generate(*arguments, **options))
        return outputs[-1]

    monkeypatch.setattr(model, "generate", generate_and_record)
    for seed in (0, 0, 1):
        sampling = GroupSampling(group_size=2, max_response_length=5, seed=seed)
        mix = measure_group_mix(model, tokenizer, problems, sampling)
        assert mix.mean_length <= 5
        assert mix.all_wrong + mix.mixed + mix.all_correct == pytest.approx(1)
    first, again, other = outputs
    assert len(first) == 2 * len(problems)
    assert torch.equal(first, again)
    assert first.shape != other.shape or not torch.equal(first, other)


def test_no_problems_cannot_be_measured(tokenizer):
    with pytest.raises(ValueError, match="at least one problem"):
        measure_group_mix(None, tokenizer, [])


def test_the_tokenizer_is_the_same_every_time():
    assert build_tokenizer().get_vocab() == build_tokenizer().get_vocab()
