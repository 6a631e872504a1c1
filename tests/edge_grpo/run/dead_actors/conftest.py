"""A real Ray with actors that die."""

import pytest
from support import ray_actors
from support.ray_actors import Owner


@pytest.fixture(scope="module")
def session():
    """A Ray of its own, whose workers need not import the actors' file."""
    import ray

    ray.cloudpickle.register_pickle_by_value(ray_actors)
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        yield ray
    finally:
        ray.shutdown()
        ray.cloudpickle.unregister_pickle_by_value(ray_actors)


@pytest.fixture
def owner(session):
    """owner(function, *arguments): call it in an owner of this test's own, which stands for the trainer's process."""
    actor = session.remote(num_cpus=0)(Owner).remote()
    yield lambda function, *arguments: session.get(actor.call.remote(function, *arguments))
    session.kill(actor)
