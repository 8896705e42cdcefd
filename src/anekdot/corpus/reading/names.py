"""What the name of a file says: its format, or why it is not read where a folder is named.

A file that a person names alone is read whatever it is called, unless its format cannot be read.
"""

import importlib.util
import re
from collections.abc import Callable

from anekdot.corpus.reading.files import COMPRESSIONS
from anekdot.errors import CorpusError, require

Skipped = Callable[[str, str], None]
"""Receives the name of a file that is not read, and why."""

ENDINGS = {
    ".txt": "txt",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".md": "txt",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".docx": "docx",
    ".odt": "odt",
    ".epub": "epub",
    ".fb2": "fb2",
    ".xlsx": "xlsx",
    ".pdf": "pdf",
    ".sql": "sql",
    ".srt": "srt",
    ".vtt": "srt",
}
"""Formats by the ending of a file; each may be compressed, or in a zip archive."""

ARCHIVE = ".zip"
PDF = ".pdf"

FORMATS = (
    f"Bring {', '.join(ENDINGS)} (each may be compressed: {', '.join(COMPRESSIONS)}, {ARCHIVE}), "
    "a folder of them, or - for a pipe."
)

SECRET = "may hold a secret"
PROGRAM = "belongs to a program"
NO_TEXT = "no text"
TABLE = "a table beside"

_MAX_GROUPS = 8  # of files that are listed one by one

_CONVERTIBLE = {
    "doc rtf wps pages dot dotx docm": "save it as .docx or .txt",
    "xls ods xlsb xlsm numbers": "save it as .xlsx or .csv",
    "ppt pptx odp": "save its text as .txt",
    "djvu": "convert it to .txt or .docx",
    "mobi azw azw3 lit": "convert it to .epub or .txt",
    "tar tgz tbz txz 7z rar": "unpack it",
    "xml rss atom opml enex": "convert it to .csv or .jsonl",
    "mht mhtml": "save the page as .html",
    "mbox eml msg pst": "save its texts as .txt or .html",
    "db sqlite sqlite3 mdb accdb": "export it as .sql or .csv",
    "pkl pickle npy npz feather arrow orc": "export it as .jsonl or .parquet",
}
_REMEDIES = {f".{each}": how for names, how in _CONVERTIBLE.items() for each in names.split()}
_NO_TEXT = re.compile(
    r"\.(png|jpe?g|gif|webp|bmp|tiff?|ico|svg|psd|heic|mp[34]|m4[av]|ogg|oga|opus|wav|flac|avi"
    r"|mkv|mov|webm|tgs|exe|dll|so|bin|dat|pt|pth|ckpt|safetensors|gguf|onnx|iso|img|dmg|ttf|otf"
    r"|woff2?|torrent|crdownload|part|swp)"
)
_SECRET_ENDING = re.compile(
    r"\.(pem|key|pub|crt|cer|der|p12|pfx|jks|keystore|kdbx?|asc|gpg|ppk|ovpn|env|htpasswd|netrc)"
)
_SECRET_NAME = re.compile(
    r"id_(rsa|dsa|ecdsa|ed25519).*|authorized_keys.*|known_hosts.*|passwd|shadow|pgpass|netrc"
    r"|(my|мои)?[ _-]?(passwords?|passw|pwds?|credentials?|creds|secrets?|api[ _-]?keys?|keys"
    r"|tokens?|пароли|пароль|ключи)([ _-]?\d*)?|(client|service)[ _-](secret|account).*"
)
_PROGRAM_ENDING = re.compile(
    r"\.(py[wcix]?|ipynb|[cm]?jsx?|tsx?|css|s[ac]ss|less|[ch]|cc|cpp|hpp|cs|java|kt|go|rs|rb|php"
    r"|p[lm]|lua|r|(ba|z|fi)?sh|bat|cmd|ps1|swift|scala|vue|asm|mk|cmake|gradle|ya?ml|toml|ini"
    r"|cfg|conf|config|lock|properties|plist|reg|inf|service|desktop|map|wasm|class|jar|diff|patch"
    r"|sty|bib|log\d|pid|code-workspace|editorconfig)"
)
_TWEETS = re.compile(r"tweets?(-part\d+)?\.js")
_PROGRAM_NAME = re.compile(
    r"(readme|licen[cs]e|copying|notice|authors|contributors|contributing|changelog|install"
    r"|code_of_conduct|security)([._-].*)?|(makefile|dockerfile|vagrantfile|gemfile|rakefile"
    r"|procfile|pipfile|jenkinsfile)(\..*)?|(requirements|constraints)([._-].*)?\.(txt|in)"
    r"|cmakelists\.txt|robots\.txt|humans\.txt|(package|package-lock|composer|bower|angular"
    r"|jsconfig|tsconfig|manifest|launch|settings|config)(\..*)?\.json"
)


def ending(name: str) -> str:
    """Returns the ending of a file's or member's name in lower case, without a compression's.

    >>> ending("Jokes.TXT.gz"), ending("b/c"), ending(".hidden")
    ('.txt', '', '')
    """
    own = _own_name(name)
    found = _suffix(own)
    return _suffix(own.removesuffix(found)) if found in COMPRESSIONS else found


def reason_unread(name: str) -> str | None:
    """Returns why a file of a folder or an archive is not read, if its name says so.

    >>> reason_unread("a/passwords.txt"), reason_unread("song.mp3"), reason_unread("fortunes")
    ('may hold a secret', 'no text', None)
    """
    own = _own_name(name)
    found = ending(own)
    if _SECRET_ENDING.fullmatch(found) or _SECRET_NAME.fullmatch(own.partition(".")[0]):
        return SECRET
    if _TWEETS.fullmatch(own):
        return None
    if _PROGRAM_ENDING.fullmatch(found) or _PROGRAM_NAME.fullmatch(own):
        return PROGRAM
    if found == PDF and importlib.util.find_spec("pypdf") is None:
        return 'needs: pip install "anekdot[documents]"'
    return _REMEDIES.get(found) or (
        NO_TEXT if _NO_TEXT.fullmatch(found) or own.startswith("~$") else None
    )


def check_format(name: str, shown: str) -> None:
    """Refuses a file whose format cannot be read, with what to do instead.

    Args:
        name: The file's name.
        shown: The name that the message carries.

    Raises:
        CorpusError: It is one.
        MissingExtra: It is a PDF, and what reads it is not installed.
    """
    found = ending(name)
    if how := _REMEDIES.get(found):
        raise CorpusError(f"{shown} is in a format that is not read.", f"{how.capitalize()}.")
    if found == PDF:
        require("Reading PDF", "documents", "pypdf")
    if _NO_TEXT.fullmatch(found):
        raise CorpusError(f"{shown} is not in a known format.", FORMATS)


def no_text(name: str) -> CorpusError:
    """Returns the error of a file that holds no text."""
    return CorpusError(f"{name} holds no text.", FORMATS)


def _own_name(name: str) -> str:
    """Returns the last part of a path in lower case, without what tells equal members apart."""
    return name.partition("\0")[0].replace("\\", "/").rpartition("/")[2].lower()


def _suffix(name: str) -> str:
    place = name.rfind(".")
    return name[place:] if 0 < place < len(name) - 1 else ""


def describe_unread(unread: dict[str, str]) -> str:
    """Returns a sentence about the files that are not read, the most frequent ending first.

    >>> describe_unread({"a/b.png": "no text", "a/c.png": "no text", "a/keys": "may hold a secret"})
    'Not read: 2 .png (no text), keys (may hold a secret). To include a file, name it.'
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for name, reason in unread.items():
        kind = name if reason.startswith(TABLE) else ending(name) or name
        groups.setdefault((kind, reason), []).append(name)
    listed = sorted(
        groups.items(), key=lambda item: (item[0][1] not in _CONVERTIBLE.values(), -len(item[1]))
    )
    phrases = [
        f"{len(names):,} {kind} ({reason})"
        if len(names) > 1
        else f"{names[0].rpartition('/')[2]} ({reason})"
        for (kind, reason), names in listed[:_MAX_GROUPS]
    ]
    if others := sum(len(names) for _, names in listed[_MAX_GROUPS:]):
        phrases.append(f"{others:,} more")
    only_tables = all(reason.startswith(TABLE) for reason in unread.values())
    how = "Export a table by itself to include it" if only_tables else "To include a file, name it"
    return f"Not read: {', '.join(phrases)}. {how}."
