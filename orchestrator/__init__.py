"""The engine: studies in, trials on a cluster, one ledger, decisions out; it knows no method, dataset or figure."""

import time

__version__ = "0.1.0"

BEGAN = time.time()
"""When this process imported the engine, which every method imports: files that are older are those that it runs."""
