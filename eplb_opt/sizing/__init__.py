"""Sizing: deployments side by side, and what more GPUs or slots can still gain, by the bounds."""
