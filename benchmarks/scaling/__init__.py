"""What more workers bring, and cost."""
