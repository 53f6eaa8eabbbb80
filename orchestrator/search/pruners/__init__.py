"""What stops hopeless configurations of a search, one pruner a file (`PRUNER = PrunerKind(...)`)."""
