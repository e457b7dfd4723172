"""A Supabase project beside its database: sign-in, changes as they happen, files, functions. Each may be away."""
