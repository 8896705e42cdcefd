"""Text into ids and back: a byte-level BPE tokenizer.

Read ``reference`` first: it is the whole algorithm. The other files do the same faster.
"""

from anekdot.tokenizer.streaming import StreamDecoder
from anekdot.tokenizer.tokenizer import Tokenizer

__all__ = ["StreamDecoder", "Tokenizer"]
