"""Where an export or an import is written: a place where nothing is yet."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anekdot.atomic_files import check_disk_space, disk_space_for, staged
from anekdot.errors import ConfigurationError, StorageError

SMALL_FILES = 8 << 20  # bytes that tokenizer, code and card take at most, beside the weights


def refuse_existing(*paths: Path) -> None:
    """Raises a ConfigurationError if something is at one of the paths."""
    for path in paths:
        if path.exists() or path.is_symlink():
            raise ConfigurationError(f"{path} exists already.", "Name another place, or remove it.")


@contextmanager
def new_place(path: Path, weights: int) -> Iterator[Path]:
    """Publishes what the block writes at the path that it is given, all or nothing.

    Args:
        path: The final name.
        weights: Bytes that the weights will take.

    Yields:
        A path of the same name to write a file or a folder to.

    Raises:
        ConfigurationError: Something is at the path already.
        StorageError: There is not enough space, or there is none any more.
    """
    refuse_existing(path)
    size = weights + SMALL_FILES
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    try:
        check_disk_space(size, folder)
        with disk_space_for(size, folder), staged(path) as draft:
            yield draft
    except StorageError as error:
        remedy = "Free some space, or name a place on another disk."
        raise StorageError(error.cause, remedy) from None
