"""From a study to its trials: arms, specs, checks, and whether anything is left to do. Nothing is trained here."""
