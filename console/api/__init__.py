"""Routes beside the pages."""
