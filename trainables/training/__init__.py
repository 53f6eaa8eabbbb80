"""The training loop of a bundle and what it needs: checkpoints, rows, costs, random streams, number formats."""
