"""Settings of a run, recipes, and what every layer shares: errors, atomic files."""

from configs import signals

signals.end_at_start()
