"""Proximal alternating linearised minimisation (PALM): palm4MSA and what builds on it."""
