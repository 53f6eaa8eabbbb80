"""Partitions of points as metrics see them: tables of counts, and the best matching of clusters and classes."""
