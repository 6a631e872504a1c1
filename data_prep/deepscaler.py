"""Writes train.parquet from DeepScaleR, or from a subset of it such as the EDGE-GRPO paper's Hard-1K.

    python -m data_prep.deepscaler --input SOURCE --output-dir DIR …

It is `python -m data_prep.prepare --preset deepscaler`, and has its options. The prompt is the problem alone, as in the
paper. Datasets of other columns have presets of their own there.
"""

from collections.abc import Sequence

from data_prep import prepare


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    prepare.main(arguments, command="deepscaler", preset="deepscaler")


if __name__ == "__main__":
    main()
