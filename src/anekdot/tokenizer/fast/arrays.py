"""The kinds of arrays that the compiled loops work on."""

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Units = npt.NDArray[np.uint16]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Ids = npt.NDArray[np.unsignedinteger]
