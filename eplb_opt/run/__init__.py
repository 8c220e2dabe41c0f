"""Who does what when: the schedule, the strategy and the steps of layers, and the worker processes for proofs."""
