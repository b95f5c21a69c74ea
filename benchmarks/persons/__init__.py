"""How surely persons are found again after cuts."""
