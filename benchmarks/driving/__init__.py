"""The rows of the latent difference encoder (Herrmann and Zengerle 2020), and what the product does in its place."""
