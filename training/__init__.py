"""The run: python -m training.distill."""

from configs import signals

signals.end_at_start()
