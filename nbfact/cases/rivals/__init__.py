"""Implementations by others, each called as its documentation says."""
