"""The word tables: (Korean, English)."""
