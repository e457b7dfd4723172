"""Pure domain: values and state tables. Imports nothing of ours but itself; no I/O."""
