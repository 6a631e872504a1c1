"""Asks within seconds whether the Hugging Face hub can be reached; without it, only its cache is looked into."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

HUB_TIMEOUT_SECONDS = 5


def find_hub_failure() -> str:
    """Return why the hub cannot be reached, or nothing if it can.

    The library `datasets` would try again and again, for minutes. A thread asks, because looking up the name of a host
    has no time limit, and each of its addresses one of its own.
    """
    import datasets  # These take seconds to import.
    from huggingface_hub import constants

    if datasets.config.HF_HUB_OFFLINE or constants.HF_HUB_OFFLINE:
        return "the environment asks to stay offline"
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(_ask(constants.ENDPOINT)), daemon=True).start()
    try:
        failure = answers.get(timeout=HUB_TIMEOUT_SECONDS)
    except queue.Empty:
        failure = f"no answer in {HUB_TIMEOUT_SECONDS} seconds"
    return failure and f"{constants.ENDPOINT}: {failure}"


@contextmanager
def staying_offline() -> Iterator[None]:
    """Keep `datasets` from asking the hub for anything inside the `with`."""
    import datasets
    from huggingface_hub import constants

    # Both read the environment when they are imported, and these when they are used.
    modules: tuple[Any, ...] = (datasets.config, constants)
    before = [module.HF_HUB_OFFLINE for module in modules]
    try:
        for module in modules:
            module.HF_HUB_OFFLINE = True
        yield
    finally:
        for module, value in zip(modules, before, strict=True):
            module.HF_HUB_OFFLINE = value


def _ask(endpoint: str) -> str:
    from huggingface_hub import get_session

    try:
        # The client of the library itself, so that it goes through the same proxies and certificates.
        status = get_session().head(endpoint, timeout=HUB_TIMEOUT_SECONDS).status_code
    except Exception as error:  # The client raises errors of many types, all of which mean that there was no answer.
        return str(error) or type(error).__name__
    return f"it answers with status {status}" if status >= 500 else ""
