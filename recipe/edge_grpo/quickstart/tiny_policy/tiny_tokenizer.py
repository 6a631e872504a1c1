"""A byte-level BPE tokenizer of some 375 tokens, trained on the text it will read.

It splits text as the tokenizers of Qwen2 do, because transformers loads the tokenizer of any Qwen2 checkpoint as a
Qwen2Tokenizer and ignores other splitting rules that were saved with it. That rule makes every digit a token of its
own, as arithmetic digit by digit needs it. The words of the arithmetic problems and of the correction sentences become
one token each; any other text is encoded too, byte by byte in the worst case (after Unicode normalisation to NFC).
"""

from collections.abc import Iterable

from tokenizers import pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Tokenizer

END_OF_TURN = "<|im_end|>"
PADDING = "<|endoftext|>"
_START_OF_TURN = "<|im_start|>"

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

_ROLES = ("user", "assistant", "system")


def train_tokenizer(texts: Iterable[str], vocab_size: int, max_length: int) -> PreTrainedTokenizerFast:
    """Train a tokenizer on `texts`, with ChatML as its chat template.

    `vocab_size` counts the 256 bytes and the 3 special tokens; on little text the result may be smaller. `max_length`
    (tokens) is only recorded: the length from which the tokenizer warns.
    """
    tokenizer = Qwen2Tokenizer().train_new_from_iterator(
        [*_ROLES, *texts],
        vocab_size=vocab_size,
        new_special_tokens=[_START_OF_TURN, END_OF_TURN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.eos_token = END_OF_TURN
    tokenizer.pad_token = PADDING
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.model_max_length = max_length
    return tokenizer
