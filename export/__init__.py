"""A finished student becomes files other programs run, and is proven equal to them."""

from configs import signals

signals.end_at_start()
