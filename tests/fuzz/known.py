"""Faults that are known and not mended yet; the smoke set passes over them."""

KNOWN: tuple[tuple[str, str], ...] = ()
"""Patterns of an entry and of an argument."""
