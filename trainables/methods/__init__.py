"""One file per method: `Config` (the paper's defaults; knobs) and `METHOD`, the class that trains a bundle."""
