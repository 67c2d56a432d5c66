"""Denoising by dictionaries: `nbfact study denoising`."""
