"""The rows of a results folder: its batch files, what they say together, and the view of them that readers have."""
