"""Comparing versions: two side by side, a verdict for each case, and the history."""
