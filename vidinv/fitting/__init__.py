"""Directions from codes: boundaries between two kinds of faces, components, and what is measured of them."""
