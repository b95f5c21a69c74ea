"""Geometry of faces without weights: quads, boxes, warps, smoothing, motion, pose, tracks, masks, compositing."""
