"""What it takes and what it costs, ordered by unit: bytes, seconds, GPUs, dollars."""
