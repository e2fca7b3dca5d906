"""What to commit to: bands of a need, terms that pay, the plan that costs least, and policies compared."""
