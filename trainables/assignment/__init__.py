"""Pseudo-label solvers, one file each, batched over members; the losses that use them live in the methods."""
