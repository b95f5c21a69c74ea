"""From pictures to codes: one signature (base), a file for each method, and the table of all."""

from vidinv.inversion import feature_style
from vidinv.inversion.base import Method, Networks

DEFAULT_METHOD = "feature-style"
METHODS: dict[str, Method] = {"feature-style": feature_style.METHOD}

__all__ = ["DEFAULT_METHOD", "METHODS", "Method", "Networks"]
