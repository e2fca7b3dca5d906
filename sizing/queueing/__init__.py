"""Latency percentiles of a fleet under bursty arrivals, worked out and not simulated."""
