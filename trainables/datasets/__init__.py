"""One file per dataset: `load() -> Dataset`, and `absent() -> str` where it may be missing."""
