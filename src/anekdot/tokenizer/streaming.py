"""Ids to text, one at a time."""

import codecs
from collections.abc import Callable


class StreamDecoder:
    """Decodes ids one at a time into text that never ends in half a character.

    Its pieces, joined, are what ``Tokenizer.decode`` returns for all the ids. It holds back at
    most three bytes.

    Args:
        token_bytes: Returns the bytes of an id.

    >>> from anekdot.tokenizer.tokenizer import Tokenizer
    >>> tokenizer = Tokenizer(())
    >>> decoder = tokenizer.stream_decoder()
    >>> [decoder.feed(id) for id in tokenizer.encode("да")] + [decoder.flush()]
    ['', 'д', '', 'а', '']
    """

    def __init__(self, token_bytes: Callable[[int], bytes]) -> None:
        self._token_bytes = token_bytes
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def feed(self, id: int) -> str:
        """Returns the characters that this token completes.

        Raises:
            TokenizerError: The id is not in the vocabulary.
        """
        return self._decoder.decode(self._token_bytes(id))

    def flush(self) -> str:
        """Returns what was held back, as U+FFFD, and starts anew."""
        return self._decoder.decode(b"", final=True)
