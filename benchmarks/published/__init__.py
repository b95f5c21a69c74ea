"""What a pack of the published sizes costs."""
