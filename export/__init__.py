"""SavedModel and LiteRT files, and the proof that they equal the student."""
