"""Which knobs matter: indices with intervals, from searches and from screening designs."""
