"""What a plan costs: learnt from the ledger, from probes and from stated rates."""
