"""A program that merges a LoRA adapter into its base model: --adapter DIR --base MODEL --output DIR."""

import argparse
from pathlib import Path
from typing import Any


def merge(adapter: Path, base: str, output: Path) -> None:
    """Write the merged model to `output`, in the type of the base model, with the tokenizer of the adapter or of it."""
    from peft import PeftModel  # Takes seconds to import, as the next does.
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype="auto")
    merged: Any = PeftModel.from_pretrained(model, str(adapter))
    merged.merge_and_unload().save_pretrained(output)
    has_tokenizer = (adapter / "tokenizer_config.json").exists()
    AutoTokenizer.from_pretrained(str(adapter) if has_tokenizer else base).save_pretrained(output)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--adapter", type=Path, required=True)
    parser.add_argument("--base", required=True)
    parser.add_argument("--output", type=Path, required=True)
    merge(**vars(parser.parse_args()))
