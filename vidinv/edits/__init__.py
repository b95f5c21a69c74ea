"""What an edit is: a displacement in latent space, its units, and how it is asked for."""
