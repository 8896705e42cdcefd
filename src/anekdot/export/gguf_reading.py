"""The header of a GGUF file, read and judged before a tensor is touched.

A file from elsewhere may claim anything: every length is compared with the bytes that are there
before something is made of it.

Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import math
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anekdot.errors import BundleError

MAX_HEADER_BYTES = 128 << 20  # a vocabulary of a million tokens with its merges takes half
MAX_TENSORS = 9 * 1024 + 3  # those of 1,024 blocks
MAX_KEYS = 4096
VERSIONS = (2, 3)

_NUMBERS = {
    0: "<u1", 1: "<i1", 2: "<u2", 3: "<i2", 4: "<u4", 5: "<i4", 6: "<f4", 7: "?",
    10: "<u8", 11: "<i8", 12: "<f8",
}  # fmt: skip
_STRING, _ARRAY = 8, 9

# Names of the types of tensors, the weights of a block, and its bytes.
TYPES = {0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 8: ("Q8_0", 32, 34),
         30: ("BF16", 1, 2)}  # fmt: skip


@dataclass(frozen=True)
class StoredTensor:
    """Where a tensor lies in a file.

    Attributes:
        kind: F32, F16, BF16, Q8_0 or Q4_0.
        shape: As in a bundle, ``[out, in]``.
        offset: Its first byte in the file.
        size: Its bytes.
    """

    kind: str
    shape: tuple[int, ...]
    offset: int
    size: int


@dataclass(frozen=True)
class GGUFFile:
    """What the header of a file says.

    Attributes:
        path: The file.
        keys: Values by key: numbers, truth values, strings, or lists of one of them.
        tensors: By their names.
    """

    path: Path
    keys: dict[str, Any] = field(repr=False)
    tensors: dict[str, StoredTensor] = field(repr=False)

    def read(self, name: str) -> NDArray[np.uint8]:
        """Returns the bytes of a tensor, one row of the array for each of its rows."""
        tensor = self.tensors[name]
        data = np.fromfile(self.path, np.uint8, tensor.size, offset=tensor.offset)
        if data.size != tensor.size:
            raise damaged(self.path, f"{name} is cut off")
        return data.reshape(math.prod(tensor.shape[:-1]), -1)


def damaged(path: Path, what: str) -> BundleError:
    """Returns the error for a file that cannot be read."""
    return BundleError(
        f"{path} cannot be read as GGUF: {what}.", "Take the file from where it came from again."
    )


def open_gguf(path: Path) -> GGUFFile:
    """Reads the header of a file.

    Raises:
        BundleError: It is not GGUF, is damaged, or has more of something than any model here.
    """
    with path.open("rb") as file:
        data = file.read(MAX_HEADER_BYTES)
    header = _Header(path, data)
    try:
        return header.parse(path.stat().st_size)
    except (struct.error, UnicodeDecodeError) as error:
        raise damaged(path, f"its header is damaged ({error})") from None


class _Header:
    """The bytes of a header, and how far they have been read."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path, self.data, self.position = path, data, 0

    def parse(self, file_size: int) -> GGUFFile:
        if self.take(4) != b"GGUF":
            raise damaged(self.path, "it does not begin with GGUF")
        if (version := self.number("<I")) not in VERSIONS:
            raise damaged(self.path, f"its version is {version}, not {VERSIONS[0]} or 3")
        n_tensors = self.count(MAX_TENSORS, "tensors")
        n_keys = self.count(MAX_KEYS, "keys")
        keys: dict[str, Any] = {}
        for _ in range(n_keys):
            key = self.string()
            if key in keys:
                raise damaged(self.path, f"it has the key {key[:80]!r} twice")
            keys[key] = self.value(self.number("<I"))
        infos = [self.tensor() for _ in range(n_tensors)]
        alignment = keys.get("general.alignment", 32)
        if type(alignment) is not int or not 0 < alignment <= 1 << 20:
            raise damaged(self.path, f"its alignment is {str(alignment)[:80]}")
        start = -(-self.position // alignment) * alignment
        tensors: dict[str, StoredTensor] = {}
        end: int | None = 0  # unknown behind a tensor of a type that is unknown
        for name, kind, shape, offset, size in infos:
            if offset != end and end is not None:
                raise damaged(self.path, f"{name[:80]!r} does not follow the tensor before it")
            end = -(-(offset + size) // alignment) * alignment if size else None
            if name in tensors:
                raise damaged(self.path, f"it has the tensor {name[:80]!r} twice")
            if start + offset + size > file_size:
                raise damaged(
                    self.path,
                    f"{name[:80]!r} ends at byte {start + offset + size:,}, "
                    f"and the file has {file_size:,}",
                )
            tensors[name] = StoredTensor(kind, shape, start + offset, size)
        return GGUFFile(self.path, keys, tensors)

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.position:
            raise damaged(self.path, "its header is cut off, or too large for a model of anekdot")
        self.position += size
        return self.data[self.position - size : self.position]

    def number(self, layout: str) -> int:
        return int(struct.unpack(layout, self.take(struct.calcsize(layout)))[0])

    def count(self, most: int, of: str) -> int:
        if (number := self.number("<Q")) > most:
            raise damaged(self.path, f"it claims {number:,} {of}, and a model has at most {most:,}")
        return number

    def string(self) -> str:
        return self.take(self.number("<Q")).decode()

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            return self.numbers(kind, 1)[0]
        kind, length = self.number("<I"), self.number("<Q")
        if kind != _STRING:
            return self.numbers(kind, length)
        if 8 * length > len(self.data) - self.position:
            raise damaged(self.path, f"it claims a list of {length:,} strings")
        return [self.string() for _ in range(length)]

    def numbers(self, kind: int, length: int) -> list[Any]:
        if kind not in _NUMBERS:
            raise damaged(self.path, f"it has a value of the type {kind}")
        dtype = np.dtype(_NUMBERS[kind])
        values: list[Any] = np.frombuffer(self.take(length * dtype.itemsize), dtype).tolist()
        return values

    def tensor(self) -> tuple[str, str, tuple[int, ...], int, int]:
        """Returns name, type, shape, offset behind the header, and size of a tensor."""
        name = self.string()
        axes = self.number("<I")
        if not 1 <= axes <= 4:
            raise damaged(self.path, f"{name[:80]!r} has {axes} axes")
        shape = tuple(reversed([self.number("<Q") for _ in range(axes)]))
        number, offset = self.number("<I"), self.number("<Q")
        kind, block, block_size = TYPES.get(number, (f"the type {number}", 1, 0))
        if shape[-1] % block:
            raise damaged(self.path, f"{name[:80]!r} has rows of {shape[-1]} weights in {kind}")
        return name, kind, shape, offset, math.prod(shape) // block * block_size
