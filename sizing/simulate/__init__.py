"""The simulator: requests, one by one, through replicas that batch continuously."""
