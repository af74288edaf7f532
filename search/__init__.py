"""Texts and their vectors in one SQLite file, searched across languages."""

from configs import signals

signals.end_at_start()
