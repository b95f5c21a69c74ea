"""Recipes that make the model packs and the sample. Run one as ``python -m pipelines.NAME``; none is in the wheel."""
