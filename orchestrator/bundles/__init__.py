"""Which trials train together, how many at a time, and whether that changed their numbers."""
