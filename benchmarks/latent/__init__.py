"""What a second edit costs when the codes of the first were kept."""
