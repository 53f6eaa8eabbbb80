"""A run: the trials of a plan that the ledger lacks, handed to an executor, kept, counted and judged."""
