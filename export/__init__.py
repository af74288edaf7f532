"""A finished student becomes files other programs run, and is proven equal to them."""
