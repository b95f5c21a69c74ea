"""Other people's checkpoints: their files read without running their code, their weights under this package's names."""
