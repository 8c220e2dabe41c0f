"""Lower bounds: numbers that no plan can beat, each with its argument."""
