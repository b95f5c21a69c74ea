"""Geometry of faces without weights: quads, warps, smoothing, tracks, masks, compositing."""
