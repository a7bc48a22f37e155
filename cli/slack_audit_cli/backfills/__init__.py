"""Orders for backfills, and how far they are."""
