"""Others on the same clip in the same run."""
