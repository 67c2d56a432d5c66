"""Sparse codes of signals in a dictionary: `omp`."""
