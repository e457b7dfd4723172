"""A person's Python, run in a child process that the kernel has fenced in (reliability.md §7)."""
