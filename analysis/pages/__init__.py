"""What a reader opens: reports, the index, notebooks, ANSWERS.md."""
