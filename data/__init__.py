"""What we saw and what we know: logs, rollups, catalogs."""
