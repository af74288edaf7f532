"""Settings of cross-validation: which part of the text validates."""

import dataclasses

from babelet.configs.checks import in_range, require
from babelet.configs.ranges import RANGES


@dataclasses.dataclass(frozen=True)
class FoldsConfig:
    """One fold of a cross-validation; `babelet tune --folds` runs them all."""

    # Parts that all text but the test is dealt to, whole groups or templates together.
    # data.validation_fraction then has no effect. 0: no cross-validation.
    count: int = 0
    # The part that validates; the others train.
    number: int = 0

    def __post_init__(self) -> None:
        in_range("folds", self, RANGES)
        require(self.count != 1, "folds.count", "0, or 2 or more", str(self.count))
        require(
            self.number < max(1, self.count),
            "folds.number",
            f"from 0, below folds.count={self.count}",
            str(self.number),
        )
