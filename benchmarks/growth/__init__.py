"""How the cost of a run grows."""
