"""the local exchange."""
