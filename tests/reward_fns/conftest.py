"""Settings of the property tests."""

from hypothesis import settings

# Hypothesis fails an example that takes more than 200 ms, which a busy machine does to any of them.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
