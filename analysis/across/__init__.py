"""What all studies of a ledger say together."""
