"""How a study turns factors into arms: one file per design, each ending in a function of the file's name."""
