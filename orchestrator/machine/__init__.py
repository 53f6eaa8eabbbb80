"""What this process may use of its machine, and what it keeps and changes there."""
