"""What the tests of more than one file here need."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534


@pytest.fixture
def public_folder():
    """A folder that every user may enter, as the folders of pytest are for their owner alone."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def as_nobody():
    """What is done in `with as_nobody():` is done without the rights of root, who may read everything."""

    @contextmanager
    def become_nobody():
        user = os.geteuid()
        if user == 0:
            os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(user)

    return become_nobody
