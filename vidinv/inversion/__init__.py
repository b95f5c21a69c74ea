"""From pictures to codes: one signature (base), a file for each method, and the table of all (inverter)."""

from vidinv.inversion.base import Inverted, Method, Networks, SearchOptions
from vidinv.inversion.inverter import DEFAULT_METHOD, METHODS, Inverter, inverter_of, make_inverter, search_options

__all__ = [
    "DEFAULT_METHOD",
    "METHODS",
    "Inverted",
    "Inverter",
    "Method",
    "Networks",
    "SearchOptions",
    "inverter_of",
    "make_inverter",
    "search_options",
]
