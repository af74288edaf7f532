"""What differs between tasks, and nothing else: one module, or few, for each."""
