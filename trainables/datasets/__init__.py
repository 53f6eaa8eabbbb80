"""One file per dataset: `load() -> Dataset`; wrappers (imbalance, subset, noise) live in `trainables.wrappers`."""
