"""Whether edits look like photographs, in figures that one change painted on everybody fails, and by blind grading."""
