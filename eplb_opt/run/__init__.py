"""Who does what when: tasks of one layer, and the worker processes that run them."""
