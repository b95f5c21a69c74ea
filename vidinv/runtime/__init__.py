"""Streaming tools that know nothing of faces."""
