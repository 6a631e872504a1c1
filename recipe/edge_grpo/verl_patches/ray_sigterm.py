"""A patch of Ray: the driver gets to answer its first SIGTERM.

Lacking: `ray.init` sets a handler of its own, which ends the process, and neither Ray nor verl has a hook between that
and the training. Replaced: `ray.init`, once, by itself followed by setting our handler; the first SIGTERM puts Ray's
handler back. Active: in the driver of a run with the block `edge_grpo:` that starts its own Ray. May go: when verl has
a hook after `ray.init`.
"""

import functools
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any


def take_sigterm_after_ray_init(before_init: Callable[[], None], on_sigterm: Callable[[], None]) -> None:
    """Arrange, in the driver before it starts Ray, what happens on the first SIGTERM after that.

    Args:
        before_init: called once, just before Ray is started; at once where it runs already.
        on_sigterm: called on the first SIGTERM. A second one ends the process, as the first would without this.
    """
    import ray

    if ray.is_initialized():  # by an entry point that is not verl's; its handlers are its own
        before_init()
        return
    init = ray.init

    @functools.wraps(init)
    def init_and_take_sigterm(*args: Any, **kwargs: Any) -> Any:
        ray.init = init
        before_init()
        result = init(*args, **kwargs)
        _take_sigterm(on_sigterm, signal.getsignal(signal.SIGTERM))
        return result

    ray.init = init_and_take_sigterm


def _take_sigterm(on_sigterm: Callable[[], None], rays_handler: Any) -> None:
    def handle(_: int, __: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, rays_handler)
        on_sigterm()

    signal.signal(signal.SIGTERM, handle)
