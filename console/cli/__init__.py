"""The command line: `python -m console.cli …` (also `letstrade`)."""
