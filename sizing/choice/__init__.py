"""Which fleet: GPU, TP, precision and replicas under limits; mixed, shared and split fleets; GPUs for jobs."""
