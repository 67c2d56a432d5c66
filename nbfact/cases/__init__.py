"""What nbfact measures of itself, and beside which rivals."""
