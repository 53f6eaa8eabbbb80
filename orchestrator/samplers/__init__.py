"""What proposes the configurations of a search. Finite designs need none: their arms are known beforehand."""
