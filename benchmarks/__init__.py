"""Slow measurements, side by side with peers and baselines."""

# Its start makes a signal end the process, and TensorFlow quiet.
import babelet  # noqa: F401
