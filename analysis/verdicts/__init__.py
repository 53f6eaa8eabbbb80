"""What a study found, in sentences that are computed from its judgements."""
