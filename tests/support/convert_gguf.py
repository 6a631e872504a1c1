"""`python convert_gguf.py FILE.gguf FOLDER`: a model in GGUF as a Hugging Face folder in float32; needs `gguf`."""

import sys
from pathlib import Path

from transformers import AutoModelForCausalLM, AutoTokenizer


def main() -> None:
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    for kind in (AutoTokenizer, AutoModelForCausalLM):
        kind.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(target)


if __name__ == "__main__":
    main()
