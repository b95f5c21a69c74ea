"""Loops, losses, data and fitting for making model packs. Never imported by api or stages."""
