"""The tests of the reward share the children of the verifier, which otherwise would start for each file of tests."""

from collections.abc import Iterator

import pytest

from reward_fns.verifier.pool import close_shared_pool


@pytest.fixture(scope="session", autouse=True)
def no_verifier_outlives_its_module() -> Iterator[None]:
    """End the children with the last test of this folder, in place of the fixture of the same name above."""
    yield
    close_shared_pool()
