"""What a person reads: the budget page and the files beside it."""
