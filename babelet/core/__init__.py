"""What every layer shares: errors, atomic files, locks, signals, start-up."""
