"""The tiny model before training: its tokenizer and its random weights."""

import random

import torch
from transformers import GenerationConfig, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from data_prep.arithmetic_problems import LEVELS, draw_problem
from recipe.edge_grpo.correction.tokens import answer_text
from recipe.edge_grpo.quickstart.tiny_policy.examples import ANSWER_TEXT, REFLECTION_TEXT
from recipe.edge_grpo.quickstart.tiny_policy.tiny_tokenizer import train_tokenizer

CONTEXT_LENGTH = 4096
VOCAB_SIZE = 512  # An upper limit: the arithmetic sentences need fewer.
_NUM_CORPUS_PROBLEMS = 4000


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Train the tokenizer on generated problems, their solutions and the two correction sentences; always the same."""
    rng = random.Random("corpus")
    texts = [REFLECTION_TEXT, answer_text(ANSWER_TEXT, "1")] * (_NUM_CORPUS_PROBLEMS // 10)
    for _ in range(_NUM_CORPUS_PROBLEMS):
        problem = draw_problem(rng, rng.choice(list(LEVELS)))
        texts += [problem.text, problem.solution]
    return train_tokenizer(texts, VOCAB_SIZE, CONTEXT_LENGTH)


def build_untrained_model(tokenizer: PreTrainedTokenizerFast, seed: int) -> Qwen2ForCausalLM:
    """Build the model with random weights, in float32."""
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=2,  # Head size 32, the smallest that vLLM's attention on CPU takes.
        num_key_value_heads=1,
        max_position_embeddings=CONTEXT_LENGTH,
        tie_word_embeddings=True,
        initializer_range=0.1,  # Near 1/sqrt(hidden size). With the usual 0.02 so small a model learns far slower.
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = Qwen2ForCausalLM(config).to(torch.float32)
    model.generation_config = GenerationConfig(
        do_sample=True, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    return model
