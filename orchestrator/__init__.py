"""The engine: studies in, trials on a cluster, one ledger, decisions out; it knows no method, dataset or figure."""

__version__ = "0.1.0"
