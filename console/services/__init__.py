"""What pages, API, CLI and Telegram may ask for; permission and audit inside. Never imports streamlit."""
