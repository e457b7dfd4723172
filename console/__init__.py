"""People: the web console, its services, the CLI, Telegram."""
