"""One file per dataset: `load() -> Dataset`; the wrappers (imbalance, subset, label noise) live in `trainables.data`."""
