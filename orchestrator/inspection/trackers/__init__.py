"""Where the rows of trials are shown as they come: one file a tracker, found by its name."""
