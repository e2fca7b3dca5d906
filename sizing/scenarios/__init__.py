"""What could change: prices that jump, hardware and models that are exchanged, traffic that turns."""
