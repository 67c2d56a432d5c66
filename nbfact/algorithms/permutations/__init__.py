"""Recovering the unknown permutations of a permuted butterfly."""
