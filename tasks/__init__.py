"""What a decision is, for each task."""
