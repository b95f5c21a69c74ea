"""Networks: tensors in, tensors out. No frames, no files except through pack.py and published/."""
