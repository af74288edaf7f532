"""Slow measurements, side by side with peers and baselines."""

from babelet.core import signals

signals.end_at_start()
