"""Model packs: what a pack's table says, where packs are, how they are read and written; other people's checkpoints."""
