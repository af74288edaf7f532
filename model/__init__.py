"""Tensors only: the student, the Distiller, its objective; teachers take text."""
