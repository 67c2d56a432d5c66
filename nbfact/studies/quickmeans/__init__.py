"""The study of QuicK-means."""
