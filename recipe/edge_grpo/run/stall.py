"""Finds that a run makes no progress: an engine that hangs answers health checks, and its process lives."""

import time
from collections.abc import Callable, Hashable
from typing import Any

STALL_CHECK_SECONDS = 5.0


class Stall:
    """Finds that nothing has changed for a time.

    A change counts when two calls in a row see one: verl empties its lists and fills them again whenever it looks for
    finished groups, and a call may come in between.

    Args:
        progress: what changes whenever the run gets on, compared with what it was in the call before.
        limit_seconds: how long it may stay the same.
        clock: in seconds.
    """

    def __init__(
        self, progress: Callable[[], Hashable], limit_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.progress = progress
        self.limit_seconds = limit_seconds
        self.clock = clock
        self.last_progress, self.last_change = progress(), clock()
        self.is_changed = False

    def __call__(self) -> str | None:
        progress, now = self.progress(), self.clock()
        was_changed, self.is_changed = self.is_changed, progress != self.last_progress
        if was_changed and self.is_changed:
            self.last_progress, self.last_change, self.is_changed = progress, now, False
        if now - self.last_change < self.limit_seconds:
            return None
        return (
            f"no response has been finished and no part of a step has ended for {now - self.last_change:.0f} s "
            "(edge_grpo.stall_seconds): an engine or a process hangs; ending the run. The same command resumes from "
            "the last checkpoint"
        )


STOCK = ("partitions", "pending_keys", "running_keys", "finished_keys", "failure_keys")
"""Where verl's replay buffers have the responses that are not trained yet, by partition."""


def progress_of_trainer(trainer: Any) -> Hashable:
    """Return what changes whenever one of verl's V1 trainers gets on: the step, its parts, the responses in stock.

    Read from another thread than the trainer's, therefore only lengths. A sampler of the user's
    (`trainer.v1.sampler.custom_sampler`) may keep its stock elsewhere; then the step and its parts have to tell.
    """
    in_stock = [getattr(trainer.replay_buffer, name, {}) for name in STOCK]
    return (
        trainer.global_steps,
        len(getattr(trainer, "timing_raw", ())),
        *(len(keys.get(partition, ())) for keys in in_stock for partition in ("train", "val")),
    )
