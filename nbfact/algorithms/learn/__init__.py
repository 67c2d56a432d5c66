"""learn_transform: the search for the best factorization under a budget."""
