"""What --hold keeps still: python -m benchmarks.holding."""
