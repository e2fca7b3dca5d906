"""Benchmark results that people have: one small reader for each tool, all to the columns of measured points."""
