"""The run: python -m training.distill."""
