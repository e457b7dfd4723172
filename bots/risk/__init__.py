"""Pre-trade checks: pure functions, no I/O (the kill files excepted)."""
