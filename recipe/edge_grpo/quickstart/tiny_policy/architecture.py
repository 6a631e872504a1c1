"""Builds the tiny model as it is before training: a byte-level BPE tokenizer of some 375 tokens, and random weights.

The tokenizer splits text as those of Qwen2 do, because transformers loads the tokenizer of any Qwen2 checkpoint as a
Qwen2Tokenizer and ignores other splitting rules that were saved with it. That rule makes every digit a token of its
own, as arithmetic digit by digit needs it. The words of the arithmetic problems and of the correction sentences become
one token each; any other text is encoded too, byte by byte in the worst case (after Unicode normalisation to NFC).
"""

import random
from collections.abc import Iterable

import torch
from tokenizers import pre_tokenizers
from transformers import GenerationConfig, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer

from data_prep.arithmetic_problems import LEVELS, draw_problem
from recipe.edge_grpo.correction.tokens import answer_text
from recipe.edge_grpo.quickstart.tiny_policy.examples import ANSWER_TEXT, REFLECTION_TEXT

CONTEXT_LENGTH = 4096
VOCAB_SIZE = 512  # An upper limit: the arithmetic sentences need fewer.
HIDDEN_SIZE = 64
HEAD_SIZE = 32  # The smallest that vLLM's attention on CPU takes.

_NUM_CORPUS_PROBLEMS = 4000
_CHAT_ROLES = ("user", "assistant", "system")
_START_OF_TURN, _END_OF_TURN, _PADDING = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
_CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Train the tokenizer on generated problems, their solutions and the two correction sentences; always the same."""
    rng = random.Random("corpus")
    texts = [REFLECTION_TEXT, answer_text(ANSWER_TEXT, "1")] * (_NUM_CORPUS_PROBLEMS // 10)
    for _ in range(_NUM_CORPUS_PROBLEMS):
        problem = draw_problem(rng, rng.choice(list(LEVELS)))
        texts += [problem.text, problem.solution]
    return train_tokenizer(texts, VOCAB_SIZE, CONTEXT_LENGTH)


def train_tokenizer(texts: Iterable[str], vocab_size: int, max_length: int) -> PreTrainedTokenizerFast:
    """Train a tokenizer on `texts`, with ChatML as its chat template.

    `vocab_size` counts the 256 bytes and the 3 special tokens; on little text the result may be smaller. `max_length`
    (tokens) is only recorded: the length from which the tokenizer warns.
    """
    tokenizer: PreTrainedTokenizerFast = Qwen2Tokenizer().train_new_from_iterator(
        [*_CHAT_ROLES, *texts],
        vocab_size=vocab_size,
        new_special_tokens=[_START_OF_TURN, _END_OF_TURN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.eos_token = _END_OF_TURN
    tokenizer.pad_token = _PADDING
    tokenizer.chat_template = _CHAT_TEMPLATE
    tokenizer.model_max_length = max_length
    return tokenizer


def build_untrained_model(
    tokenizer: PreTrainedTokenizerFast, seed: int, hidden_size: int = HIDDEN_SIZE
) -> Qwen2ForCausalLM:
    """Build the model with random weights, in float32; `hidden_size` is a multiple of the head size, 32."""
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=hidden_size,
        intermediate_size=4 * hidden_size,
        num_hidden_layers=2,
        num_attention_heads=hidden_size // HEAD_SIZE,
        num_key_value_heads=1,
        max_position_embeddings=CONTEXT_LENGTH,
        tie_word_embeddings=True,
        initializer_range=0.1,  # Near 1/sqrt(hidden size). With the usual 0.02 so small a model learns far slower.
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model: Qwen2ForCausalLM = Qwen2ForCausalLM(config).float()
    model.generation_config = GenerationConfig(
        do_sample=True, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    return model
