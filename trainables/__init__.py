"""What is trained: deep-clustering methods, their pseudo-label solvers, networks, data, metrics."""
