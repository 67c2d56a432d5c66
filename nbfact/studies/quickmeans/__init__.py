"""The study of QuicK-means: K-means whose centres are a product of sparse factors."""
