"""Slow measurements, side by side with peers and baselines."""

from configs import signals

signals.end_at_start()
