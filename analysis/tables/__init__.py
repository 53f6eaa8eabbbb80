"""Tables of arms and contrasts, and how numbers are written."""
