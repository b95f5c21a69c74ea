"""Where in a TOML file something stands, for messages: the parser itself tells that of its own errors only."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Lines:
    """Of one table [[job]] of a file, or of [defaults]."""

    text: str
    number: int  # of the job, from 1; 0: [defaults]

    def of(self, key: str) -> str:
        """ " (line 7)"; nothing where the key is written in a way that is not looked for."""
        name = re.escape(key)
        return self._first(re.compile(rf"""\s*["']?{name}["']?\s*=|\[\[?(job|defaults)\.{name}\W"""))

    def of_error(self, message: str, keys: Collection[str]) -> str:
        """Of the key that a message begins with, or of the first text that it quotes."""
        key, quoted = message.partition(" is ")[0], re.search("'([^']+)'", message)
        if key in keys:
            return self.of(key)
        return self._first(re.compile(f".*{re.escape(quoted[1])}")) if quoted else ""

    def _first(self, pattern: re.Pattern[str]) -> str:
        at = -1
        for number, line in enumerate(self.text.splitlines(), 1):
            if line.strip().startswith("[[job]]"):
                at = max(at, 0) + 1
            elif line.strip().startswith("[defaults"):
                at = 0
            if at == self.number and pattern.match(line):
                return f" (line {number})"
        return ""
