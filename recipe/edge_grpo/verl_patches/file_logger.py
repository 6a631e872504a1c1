"""A patch of verl: the metrics file of a resumed run keeps the lines of its earlier steps.

Lacking: verl's file logger empties the file that it opens, and has no way to append. Replaced:
`verl.utils.tracking.FileLogger.__init__`, by itself followed by writing again what the file held; the file of the
earlier start has these lines all the while. Active: in runs with the block `edge_grpo:`. May go: when verl's file
logger can append.
"""

import functools
import os
from pathlib import Path
from typing import Any

PATH_VARIABLE = "VERL_FILE_LOGGER_PATH"
"""Of the environment: where verl's file logger writes."""


def begin_metrics_file_with_what_it_holds(tracking_module: Any) -> None:
    """Make the `FileLogger` of `verl.utils.tracking` begin its file with the lines that it finds in it."""
    original = tracking_module.FileLogger.__init__

    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        path = Path(os.environ.get(PATH_VARIABLE) or os.devnull)
        earlier_lines = path.read_bytes() if path.is_file() else b""
        original(self, *args, **kwargs)
        self.fp.write(earlier_lines)

    tracking_module.FileLogger.__init__ = init
