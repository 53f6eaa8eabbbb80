"""A page that follows a results folder while studies run in it; it only ever reads."""
