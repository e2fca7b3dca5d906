"""A plan as things to buy and start: bill of materials, energy, engine settings, bounds for an autoscaler."""
