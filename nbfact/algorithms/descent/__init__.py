"""Learning the values of a butterfly by gradient descent."""
