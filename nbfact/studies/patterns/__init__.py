"""The study of learned patterns of sparsity."""
