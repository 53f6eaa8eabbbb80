"""The composition root: the only package that may import everything, which it does inside its commands (lazily)."""

from __future__ import annotations

from orchestrator.cli import signals
from orchestrator.machine import collection

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit; see `commands.main`.

    Args:
        arguments: of another program that calls this, whose signals are its own; None: this process is the command.
    """
    if arguments is None:
        signals.install()
        collection.seldom()
    from orchestrator.cli import commands

    commands.main(arguments)
