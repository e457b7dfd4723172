"""Measurements of the running product; never a pass or fail."""
