"""Slow measurements, side by side with peers and baselines."""
