"""`python -m orchestrator` is the command `orchestrate`."""

from orchestrator.cli import main

main()
