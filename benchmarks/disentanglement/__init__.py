"""The table of Semantic unfolding (Shukor et al. 2022) for a pack: W+ beside W*."""
