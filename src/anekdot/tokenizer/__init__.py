"""Text into ids and back: a byte-level BPE tokenizer, trained and applied in plain Python.

Read ``reference`` first: it is the whole of the algorithm. The other files give the same
results faster.
"""

from anekdot.tokenizer.streaming import StreamDecoder
from anekdot.tokenizer.tokenizer import Tokenizer

__all__ = ["StreamDecoder", "Tokenizer"]
