"""The command line: every verb of design.md §9. Run as `python -m console.cli`."""
