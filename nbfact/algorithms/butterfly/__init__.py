"""Butterfly factorization in closed form, split by split."""
