"""Questions, as data: one `STUDY` per file, the question in its docstring."""
