"""Docstrings as the site shows them: mkdocs.yml gives this to griffe, which reads them without importing anything.

They are written for people who read the code: names stand in Sphinx's roles, and short errors follow one another in a
line. A page shows the names as code, and the errors as a table.
"""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

ROLE = re.compile(r":(?:meth|class|func|data|mod|attr):`~?([^`]+)`")
NEXT_FIELD = re.compile(r"(?<=\S) (?=:(?:param|raises) [\w, ]+:)")
SEVERAL = re.compile(r"^( *):raises (\w+(?:, \w+)+):(.*)$", re.M)


def shown(docstring: str) -> str:
    """With roles as code, and every :param: and every error of :raises: on a line of its own."""

    def apart(found: re.Match[str]) -> str:
        return "\n".join(f"{found[1]}:raises {name}:{found[3]}" for name in found[2].split(", "))

    return SEVERAL.sub(apart, NEXT_FIELD.sub("\n", ROLE.sub(r"`\1`", docstring)))


class Docstrings(Extension):
    """Of everything that griffe has read."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = shown(obj.docstring.value)
