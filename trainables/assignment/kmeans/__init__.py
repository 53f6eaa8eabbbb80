"""K-means for many restarts over one set of points: made ready, starts, a solver that skips what cannot change."""
