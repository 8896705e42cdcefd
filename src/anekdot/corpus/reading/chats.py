"""Exports of messengers: which messages somebody said, and chats that are stored as text."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from anekdot.corpus.documents import Document, broken

SERVICE = "service message"

_MAX_CHARACTERS = 1 << 20  # of a message
_SLACK = (None, "bot_message", "me_message", "thread_broadcast", "file_share", "file_comment")
_DISCORD = ("Default", "Reply", "0", "19", 0, 19)
_REACTION = re.compile(
    r"(?:Reacted|Liked|Loved) .{0,12}your message\s*"
    r"|.{1,60} sent (?:an?|\d+) (?:attachment|photo|video|link|sticker|GIF|voice message)s?\."
)

Said = Callable[[Mapping[str, Any]], bool]

JSON_CHATS: Mapping[str, tuple[frozenset[str], Said]] = {
    "Telegram": (
        frozenset(("type", "text", "from")),
        lambda message: message.get("type") != "service",
    ),
    "Facebook": (
        frozenset(("sender_name", "timestamp_ms")),
        lambda message: (
            message.get("type") in (None, "Generic", "Share")
            and not message.get("is_unsent")
            and not _REACTION.fullmatch(str(message.get("content")))
        ),
    ),
    "Discord": (
        frozenset(("author", "content", "type", "timestamp")),
        lambda message: message.get("type") in _DISCORD,
    ),
    "Slack": (
        frozenset(("text", "type", "ts")),
        lambda message: message.get("subtype") in _SLACK,
    ),
    "VK": (frozenset(("from_id", "text", "date")), lambda message: not message.get("action")),
    "roles": (
        frozenset(("role", "content")),
        lambda message: message.get("role") not in ("system", "tool", "function", "developer"),
    ),
    "ShareGPT": (
        frozenset(("from", "value")),
        lambda message: message.get("from") not in ("system", "tool", "function"),
    ),
}
"""Messengers: the keys of their messages, and whether somebody said a message."""

_DATE = (
    r"(?:\d{1,2}[- ][A-Z][a-z]{2}[- ]\d{2,4}"
    r"|\d{1,4}(?:[./-]\s?|[年년]\s?)\d{1,2}(?:[./-]\s?|[月월]\s?)\d{1,4}[日일.]?)"
)
_HALF = "(?:(?:上午|下午|凌晨|清晨|中午|晚上|午前|午後|오전|오후)\\s?)?"
_TIME = rf"{_HALF}\d{{1,2}}[:.]\d\d(?:[:.]\d\d)?(?:\s?[AaPp]\.?\s?[Mm]\.?)?"
_AT = r",?\s(?:(?:à|às|klo|kl\.|um|alle|a\ las|o|u|в)\s)?"
_WHO = r"(?P<who>[^:\n]{1,60})"
TEXT_CHATS: Mapping[str, re.Pattern[str]] = {
    "WhatsApp": re.compile(
        rf"[\u200e\u200f]*(?:\[\s?{_DATE}{_AT}{_TIME}\s?\]|{_DATE}{_AT}{_TIME}(?:\s[-–]|,))\s"
        rf"(?:{_WHO}:\s)?"
    ),
    "VK": re.compile(rf"(?P<who>[^\n(]{{1,60}}) \({_DATE},? (?:в )?{_TIME}\):?\s*$"),
    "Telegram": re.compile(rf"(?P<who>[^\n\[]{{1,60}}), \[{_DATE},? {_TIME}\]:?\s*$"),
    "QIP": re.compile(rf"(?:-{{5,}}[<>]-|(?P<who>[^\n(]{{1,60}}) \({_TIME} {_DATE}\))\s*$"),
    "LINE": re.compile(rf"{_DATE} ?\(\w+\)\s*$|{_TIME}\t(?P<who>[^\t\n]{{1,60}})\t"),
    "Discord": re.compile(
        rf"\[{_DATE} {_TIME}\] (?P<who>[^:\n]{{1,60}}?)\s*$"
        r"|={20,}\s*$|(?:Guild|Channel|Topic): |Exported [\d,]+ message"
    ),
    "IRC": re.compile(
        rf"\[?(?:{_DATE},? )?{_TIME}\]?\s+"
        r"(?:<[@+ ]?(?P<who>[^<>\s]{1,30})>\s|(?:\*+|-!-|<?--+>?)\s)"
    ),
    "ChatML": re.compile(r"<\|im_start\|>(?:system|tool|(?P<who>\w+))\s*"),
}
"""How a message begins in chats that are text; it is from nobody where there is no ``who``."""

_NOTE = re.compile(
    r"""\u200e.* | [<‹][^<>‹›]{2,60}[>›]
  | .*\((?:file\ attached|файл\ добавлен)\) | null
  | (?:image|video|audio|sticker|GIF|document|Contact\ card)\ omitted
  | (?:This\ message\ was|You)\ deleted(?:\ this\ message)?\.?
  | (?:Missed|Пропущенный|Verpasster|Appel|Llamada)\ .{0,20}
    (?:call|звонок|anruf|manqué|perdida).{0,20}
  | Diese\ Nachricht\ wurde\ gelöscht\.? | Du\ hast\ diese\ Nachricht\ gelöscht\.?
  | Se\ eliminó\ este\ mensaje\.? | Eliminaste\ este\ mensaje\.?
  | (?:Essa\ )?mensagem(?:\ foi)?\ apagada\.? | Você\ apagou\ (?:esta|essa)\ mensagem\.?
  | Ce\ message\ a\ été\ supprimé\.? | Vous\ avez\ supprimé\ ce\ message\.?
  | Questo\ messaggio\ è\ stato\ eliminato\.? | Hai\ eliminato\ questo\ messaggio\.?
  | Bu\ mesaj(?:ı)?\ sil(?:indi|diniz)\.? | Ta\ wiadomość\ została\ usunięta\.?
  | Dit\ bericht\ is\ verwijderd\.? | Det\ här\ meddelandet\ (?:har\ raderats|raderades)\.?
  | Tämä\ viesti\ on\ poistettu\.? | 此消息已删除。? | 您已删除此消息。? | 삭제된\ 메시지입니다\.?
  | Це\ повідомлення\ (?:було\ )?видалено\.? | Ви\ видалили\ це\ повідомлення\.?
  | (?:(?:Данное|Это)\ сообщение|Вы)\ (?:было\ )?удал(?:ено|или?)(?:\ данное\ сообщение)?\.?""",
    re.VERBOSE | re.IGNORECASE,
)
_MAX_ABOVE = 5  # lines of something else
_MAX_NOTE, _MAX_TAIL = 400, 80  # characters
_TAIL = re.compile(r"\s*(?:<\|im_end\|>|\u200e?<[^<>]*(?:edited|изменено)>)\s*$")


def json_chat(keys: Collection[str]) -> str:
    """Returns the messenger whose messages have these keys, or ""."""
    found = (name for name, (wanted, _) in JSON_CHATS.items() if wanted <= {*keys})
    return next(found, "")


def text_chat(lines: Iterable[str]) -> str | None:
    """Returns the messenger that wrote some lines as text, or None."""
    filled = [line for line in lines if line.strip()]
    for name, start in TEXT_CHATS.items():
        if any(map(start.match, filled[:_MAX_ABOVE])):
            heads = [head for line in filled if (head := start.match(line))]
            alone = sum(head.end() == len(head.string) for head in heads)
            if 10 * alone > 9 * len(filled):  # nobody says anything
                continue
            if len(heads) > 1 and 2 * sum(bool(head["who"]) for head in heads) >= len(heads):
                return name
    return None


def messages(
    lines: Iterable[tuple[int, str, str | None]], form: str, name: str
) -> Iterator[Document]:
    """Yields the messages of a chat that is text, without names and dates.

    Args:
        lines: The lines: their numbers, texts, and why they cannot be used, if so.
        form: The messenger that wrote it.
        name: What the documents give as their source.
    """
    start = TEXT_CHATS[form]
    first, said, fault = 0, False, None
    parts: list[str] = []
    for number, text, flaw in lines:
        head = start.match(text)
        if head or not first:
            yield from _message(parts, name, first, said, fault)
            first, said, fault, parts = number, bool(head and head["who"]), flaw, []
        fault = fault or flaw
        if sum(map(len, parts[-1:])) < _MAX_CHARACTERS and len(parts) < _MAX_CHARACTERS // 100:
            parts.append(text[head.end() :] if head else text)
    yield from _message(parts, name, first, said, fault)


def _message(
    parts: list[str], name: str, line: int, said: bool, fault: str | None
) -> Iterator[Document]:
    text = "".join(parts).strip()
    text = (text[:-_MAX_TAIL] + _TAIL.sub("", text[-_MAX_TAIL:])).strip()
    if fault or not said or _NOTE.fullmatch(text[:_MAX_NOTE]):
        if text:
            yield broken(text, name, line, fault or SERVICE)
    else:
        yield Document(text, name, line)
