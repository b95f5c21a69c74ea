"""Where a benchmark's figures go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def tell(result: dict[str, Any], out: Path | None) -> None:
    """Print the figures, and write them as JSON to ``out`` if that is given."""
    text = json.dumps(result, indent=1)
    print(text)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n")
