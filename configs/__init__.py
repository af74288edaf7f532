"""Settings of a run, and recipes."""
