"""FOCUS, the FinOps Open Cost and Usage Specification: its columns and rules, and files of it read as spend."""
