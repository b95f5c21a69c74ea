"""All inversion methods on the same faces: how near, how fast, how steady, how easy to edit."""
