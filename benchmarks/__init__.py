"""Programs that print numbers: python -m benchmarks.NAME."""
