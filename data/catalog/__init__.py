"""Facts about models, GPUs and prices, each with its source and the day it was checked."""
