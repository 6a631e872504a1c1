"""Small real files that a run could start from: data of any rows, and a model whose tokenizer knows one word."""

import json

import pyarrow
import pyarrow.parquet
import pytest

TEMPLATE = "{% for message in messages %}{{ message['content'] }} {% endfor %}"


@pytest.fixture
def write_rows(tmp_path):
    """write_rows(rows, name): a Parquet file of the rows."""

    def write(rows, name="train.parquet"):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def model(tmp_path):
    """A model's folder: a token a word, and a chat template."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(WordLevel({"one": 0, "<unk>": 1}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    folder = tmp_path / "model"
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", chat_template=TEMPLATE).save_pretrained(
        folder
    )
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": 4096}))
    return folder


@pytest.fixture
def make_row():
    """make_row(number, **changes): a row that verl can train on."""

    def make(number=0, content="1 + 1 ?", **changes):
        row = {
            "data_source": "mine",
            "prompt": [{"role": "user", "content": content}],
            "reward_model": {"style": "rule", "ground_truth": "2"},
            "extra_info": {"index": number, "solution": "2"},
        }
        return {**row, **changes}

    return make
