"""The data's way: each file is one generator function from one arrow of types.py to the next, with its options."""
