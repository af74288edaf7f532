"""Settings of a run, recipes, and what every layer shares: errors, atomic files."""
