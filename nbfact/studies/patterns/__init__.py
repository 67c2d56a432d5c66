"""The study of learned sparsity patterns: whether they are found, and are worth it."""
