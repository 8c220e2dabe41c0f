"""Kernels: compiled code, where it is stored and how it is loaded; they take arrays and know no deployment."""
