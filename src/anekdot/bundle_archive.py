"""A bundle as one .zip: what is in it is judged before it is unpacked.

The weights are never compressed, and of each other file no more is unpacked than its limit: an
archive cannot become much larger than it is.
"""

import shutil
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from anekdot.errors import BundleError

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, OverflowError)
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def unpack(path: Path, folder: Path, limits: Mapping[str, int | None]) -> None:
    """Unpacks the files of a bundle into a folder.

    Args:
        path: The archive.
        folder: An empty folder.
        limits: The names that may be in the archive, with the most bytes of each; a file without
            a limit must be stored as it is.

    Raises:
        BundleError: It is no archive, is damaged, or holds anything else.
    """
    if not zipfile.is_zipfile(path):
        raise BundleError(
            f"{path} is a file, and neither a bundle's folder nor the .zip of one.",
            "Give the folder that anekdot train --out wrote; anekdot import makes one of a GGUF.",
        )
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            for member in members:
                _check_member(path, member, limits)
            if len({member.filename for member in members}) < len(members):
                raise _refused(path, "holds a file twice")
            for member in members:
                with archive.open(member) as source, (folder / member.filename).open("xb") as file:
                    shutil.copyfileobj(source, file)
    except _DAMAGED as error:
        raise _refused(path, f"is damaged ({error})") from None


def _check_member(path: Path, member: zipfile.ZipInfo, limits: Mapping[str, int | None]) -> None:
    name = member.filename[:80]
    kind = stat.S_IFMT(member.external_attr >> 16)
    if member.filename not in limits:
        raise _refused(path, f"holds {name!r}, which a bundle does not have")
    if member.flag_bits & 0x2041:  # the three ways to say so
        raise _refused(path, f"holds {name!r} encrypted")
    if kind not in (0, stat.S_IFREG):
        raise _refused(path, f"holds {name!r} as a link or a device")
    limit = limits[member.filename]
    if limit is None and member.compress_type != zipfile.ZIP_STORED:
        raise _refused(path, f"holds {name!r} compressed")
    if limit is None and member.file_size != member.compress_size:
        raise _refused(path, f"is damaged: {name!r} has two sizes")
    if limit is not None and member.file_size > limit:
        raise _refused(path, f"holds {name!r} of {member.file_size:,} bytes, at most {limit:,}")
    if member.compress_type not in _COMPRESSIONS:
        raise _refused(path, f"holds {name!r} compressed in a way that is not read here")


def _refused(path: Path, what: str) -> BundleError:
    return BundleError(
        f"{path} {what}.",
        "Take one that anekdot export --to bundle wrote; if you trust it, unpack it and give the "
        "folder.",
    )
