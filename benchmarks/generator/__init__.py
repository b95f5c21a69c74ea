"""A pack's generator as a set of pictures, and its codes as a space."""
