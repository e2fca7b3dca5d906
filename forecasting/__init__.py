"""What will be asked: daily traffic, token lengths and peaks, as joint sample paths."""
