"""Knows the protocols of evaluation that have a name, so that numbers are compared with those of others only by one."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data_prep.sampling.templates import QWEN_MATH

PAPER_PROTOCOL = "paper"

PROTOCOLS: Mapping[str, Mapping[str, Any]] = {
    PAPER_PROTOCOL: {
        "template": QWEN_MATH,
        "temperatures": [0.1],
        "num_samples": 1,
        "top_p": 1.0,
        "max_tokens": 3000,
        "system_prompt": None,
        "template_file": None,
        "reward": None,
    }
}
"""{name: {option: value}}; the paper's seed is the time, ours is fixed"""


def follow_protocol(options: argparse.Namespace) -> None:
    """Set the template of `options.protocol`, if there is one. Raises ValueError for an option that differs from it."""
    if options.protocol is None:
        return
    protocol = PROTOCOLS[options.protocol]
    options.template = options.template or protocol["template"]
    for name in deviations(vars(options), protocol):
        option = f"--{name.replace('_', '-')}"
        raise ValueError(f"--protocol {options.protocol} and {option} {_shown(vars(options)[name])} contradict each "
                         f"other: it has {_shown(protocol[name])}; leave one of the two away")  # fmt: skip


def deviations(settings: Mapping[str, Any], protocol: Mapping[str, Any]) -> list[str]:
    """Return the names of the settings that differ from a protocol; one that is not there is None.

    >>> deviations({"template": "chat", "num_samples": 1}, {"template": "qwen_math", "num_samples": 1, "reward": None})
    ['template']
    """
    return [name for name, value in protocol.items() if settings.get(name) != value]


def remark_on_protocols(folders: Sequence[Path]) -> str:
    """Return a line for each evaluation that did not follow the paper's protocol, for beside the paper's rows."""
    remarks = []
    for folder in folders:
        settings = _read_settings(folder / "settings.json")
        found = deviations(settings, PROTOCOLS[PAPER_PROTOCOL]) if settings else []
        if found:
            values = ", ".join(f"{name} = {_shown(settings.get(name))}" for name in found)
            remarks.append(f"- {folder.name} is not by --protocol {PAPER_PROTOCOL}, as published rows are: {values}\n")
    return "".join(remarks)


def _read_settings(path: Path) -> Mapping[str, Any]:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return settings if isinstance(settings, dict) else {}


def _shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
