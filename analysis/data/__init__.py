"""What the ledger says of a study, laid out for tables, verdicts and figures."""
