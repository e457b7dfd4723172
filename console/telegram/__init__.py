"""Alerts to people's phones."""
