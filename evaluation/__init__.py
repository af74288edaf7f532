"""One metric code for teacher, student, SavedModel and LiteRT."""

from configs import signals

signals.end_at_start()
