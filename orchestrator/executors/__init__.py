"""Where bundles are trained: in this process, or on a Ray cluster through Ray Tune."""
