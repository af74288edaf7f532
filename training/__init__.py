"""The run: `babelet distill`."""
