"""Searches: configurations asked for in rounds, pruned, replayed from the ledger, begun from earlier ones."""
