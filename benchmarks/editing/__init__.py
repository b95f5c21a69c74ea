"""How well edits hold on real clips."""
