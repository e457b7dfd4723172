"""The hosted side: Edge Functions, supabase-py, each against servers of ours on loopback."""
