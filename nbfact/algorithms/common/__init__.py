"""What the families of algorithms share: targets, factors and results."""
