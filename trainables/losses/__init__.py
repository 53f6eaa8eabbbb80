"""Losses, one file each: tensors with a leading member axis in, one loss a member out; no network, no state."""
