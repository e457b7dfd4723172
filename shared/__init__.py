"""The language of the desk, its tables and its keys."""
