"""The composition root: the only package that may import everything, which it does inside its commands (lazily)."""

from orchestrator.cli.commands import app, main

__all__ = ["app", "main"]
