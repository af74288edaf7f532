"""Types of settings: numbers with their range, and texts that are paths.

An upper end is where a typing error is surer than a use: 1e30 steps.
"""

from typing import Annotated

from babelet.configs.checks import Range

Count = Annotated[int, Range(1, 10**9)]
CountOrNone = Annotated[int, Range(0, 10**9)]
Layers = Annotated[int, Range(1, 256)]
Width = Annotated[int, Range(1, 16_384)]
InnerWidth = Annotated[int, Range(1, 65_536)]
# Two of the tokens are special ones.
Length = Annotated[int, Range(3, 65_536)]
# What all random generators take, and tuning's seed + 1 too.
Seed = Annotated[int, Range(0, 2**31 - 2)]
Share = Annotated[float, Range(0, 1)]
ShareBelow1 = Annotated[float, Range(0, 1, below=True)]
Part = Annotated[float, Range(0, 1, above=True, below=True)]
Cosine = Annotated[float, Range(-1, 1)]
# Rates that are too high are noticed where the loss is not finite.
Above0 = Annotated[float, Range(0, 1e30, above=True)]

PATH, KIND_AND_PATH = "path", "kind:path"
# In both, ~ is the home folder. data.files are no such paths: they are read in data/,
# which knows which of its entries are.
File = Annotated[str, PATH]
Origin = Annotated[str, KIND_AND_PATH]
