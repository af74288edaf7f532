"""One metric code for teacher, student, SavedModel and LiteRT."""
