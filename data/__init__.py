"""From text files to token ids: sources, cleaning, splits, vocabulary, batches."""
