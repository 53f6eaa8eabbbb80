"""The parts of the check of one card: each returns what it measured, as JSON holds it."""
