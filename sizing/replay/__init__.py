"""Past months decided again: what each policy would have signed, what it cost, and what hindsight would have."""
