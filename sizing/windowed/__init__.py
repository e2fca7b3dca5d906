"""Windowed work: how it spreads, what each way of planning asks, what long requests cost."""
