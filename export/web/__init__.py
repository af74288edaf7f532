"""A page that searches across languages, with the model running in the browser."""
