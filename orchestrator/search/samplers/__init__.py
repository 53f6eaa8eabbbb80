"""What proposes the configurations of a search, one sampler a file (`SAMPLER = SamplerKind(...)`)."""
