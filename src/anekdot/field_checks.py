"""Checks of a field or flag: the right type, and a value within its bounds."""

from typing import Any

from anekdot.errors import ConfigurationError


def check_integer(name: str, value: Any, smallest: int, largest: int) -> None:
    """Raises a ConfigurationError unless the value is an integer within the bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not smallest <= value <= largest:
        raise ConfigurationError(
            f"{name} is {value!r}.", f"Give a whole number from {smallest} to {largest}."
        )


def check_boolean(name: str, value: Any) -> None:
    """Raises a ConfigurationError unless the value is true or false."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} is {value!r}.", "Give true or false.")


def check_text(name: str, value: Any) -> None:
    """Raises a ConfigurationError unless the value is a line of text."""
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        raise ConfigurationError(f"{name} is {value!r}.", "Give one line of text.")


def check_number(name: str, value: Any, smallest: float, largest: float) -> None:
    """Raises a ConfigurationError unless the value is a number within the bounds."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not smallest <= value <= largest:
        raise ConfigurationError(
            f"{name} is {value!r}.", f"Give a number from {smallest:g} to {largest:g}."
        )
