"""What every group of settings checks its values with."""

from configs.errors import BabeletError


def require(condition: bool, key: str, expected: str, received: str) -> None:
    """Raises BabeletError, which names the setting `key`, unless `condition` holds."""
    if not condition:
        raise BabeletError(
            f"Invalid {key}",
            expected=expected,
            received=received,
            remedy=f"change {key} in the recipe or with --set",
        )


def positive(key: str, value: float) -> None:
    """Raises BabeletError unless the setting `key` is above 0."""
    require(value > 0, key, "above 0", str(value))
