"""Teachers: from strings to unit vectors, one file per kind."""
