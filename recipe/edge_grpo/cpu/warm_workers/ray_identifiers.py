"""Ray's random identifiers in processes that are forks of one another.

Ray draws them in its library, from a generator that takes its seed at a process's first draw and has no way to take
another. Forks of a process that has drawn one draw the same: two workers then call a third one under one identifier,
which ends it, and an object of one can be taken for that of the other. So the process that forks must not draw.

`@ray.remote` above a class draws one, so importing draws; it is the only place (Ray 2.60). There it is drawn by Python.
"""

# Ray is imported by who needs it: that changes the environment, of which a template first takes what it was.

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest import mock

if TYPE_CHECKING:
    from ray import ActorClassID


class DrawnByPython:
    """In the place of Ray's type, where it is asked for a random one only."""

    @staticmethod
    def from_random() -> "ActorClassID":
        """Return a random identifier; the generator of Ray's library is left alone."""
        from ray import ActorClassID

        return ActorClassID(os.urandom(ActorClassID.size()))


@contextmanager
def classes_of_actors_drawn_by_python() -> Iterator[None]:
    """Have Python draw the identifiers of the classes that are defined in this block."""
    import ray.actor

    with mock.patch.object(ray.actor, "ActorClassID", DrawnByPython):
        yield


def forks_draw_the_same() -> bool:
    """Return whether two forks of this process begin with the same identifier, as they do once it has drawn one."""
    return _drawn_by_fork() == _drawn_by_fork()


def _drawn_by_fork() -> bytes:
    from ray import ObjectRef

    reading, writing = os.pipe()
    if (process := os.fork()) == 0:
        os.write(writing, ObjectRef.from_random().binary())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as stream:
        drawn = stream.read()
    os.waitpid(process, 0)
    return drawn
