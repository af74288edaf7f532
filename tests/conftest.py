"""Settings of every test."""

from hypothesis import settings

# A deadline of milliseconds measures the machine's other work, not the code.
settings.register_profile("babelet", deadline=None)
settings.load_profile("babelet")
