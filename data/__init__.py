"""From text files to token ids: sources, cleaning, splits, vocabulary, batches."""

from configs import signals

signals.end_at_start()
