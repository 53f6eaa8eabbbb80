"""Methods of a user's own that a study's file declares: a command, a function, an estimator, a Lightning module."""
