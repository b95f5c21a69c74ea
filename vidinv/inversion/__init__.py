"""From pictures to codes: one signature, many methods."""
