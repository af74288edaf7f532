"""Checks of settings, with the error that names the setting."""

from configs.errors import BabeletError


def require(condition: bool, key: str, expected: str, received: str) -> None:
    """Raises a BabeletError for the setting `key` unless `condition` holds."""
    if not condition:
        raise BabeletError(
            f"Invalid {key}",
            expected=expected,
            received=received,
            remedy=f"change {key} in the recipe or with --set",
        )


def positive(key: str, value: float) -> None:
    """Raises a BabeletError for the setting `key` unless `value` is above 0."""
    require(value > 0, key, "above 0", str(value))
