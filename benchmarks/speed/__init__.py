"""How fast each stage is alone, and how well they overlap."""
