"""The types of the options that commands which sample have."""

import argparse
from pathlib import Path

import pytest

from data_prep.sampling.options import add_model_options, existing, positive, probability, temperature


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (positive, "1", 1),
        (temperature, "0", 0),
        (temperature, "1e-2", 0.01),
        (temperature, "2.5", 2.5),
        (probability, "1", 1),
        (probability, "0.05", 0.05),
        (existing, __file__, Path(__file__)),
    ],
)
def test_values_in_range_are_read(read, text, value):
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "texts", "message"),
    [
        (positive, ["0", "-1", "1.5", "x", "", "²"], "is not a whole number of at least 1"),
        (temperature, ["-0.1", "inf", "-inf", "nan", "x", ""], "is not a number from 0$"),
        (temperature, ["0.009", "1e-9"], "vLLM samples at no temperature between 0 and 0.01"),
        (probability, ["0", "-1", "1.01", "inf", "nan", "x"], "is not a number above 0 to 1$"),
        (existing, ["/no/such/file"], "/no/such/file does not exist"),
    ],
)
def test_values_out_of_range_are_refused_with_what_they_should_be(read, texts, message):
    for text in texts:
        with pytest.raises(argparse.ArgumentTypeError, match=message):
            read(text)


def test_a_command_chooses_its_own_defaults():
    parser = argparse.ArgumentParser()
    add_model_options(parser, default_template="none", default_max_tokens=12)
    options = parser.parse_args([])
    assert (options.template, options.max_tokens, options.top_p, options.seed, options.limit) == (
        "none",
        12,
        1,
        0,
        None,
    )
