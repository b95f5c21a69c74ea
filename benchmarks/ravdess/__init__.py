"""Inversion and editing on RAVDESS, and on any other folder of clips."""
