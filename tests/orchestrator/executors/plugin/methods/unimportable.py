"""A method file that raises when it is imported, as an unfinished plugin does."""

raise ZeroDivisionError("unfinished")
