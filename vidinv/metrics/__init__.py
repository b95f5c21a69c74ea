"""Pure numbers: arrays in, figures out."""
