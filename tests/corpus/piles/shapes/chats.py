"""How messengers and forums export what people wrote."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

Pieces = list[Any]


def pieces(text: str, kind: str = "bold") -> Pieces:
    """A Telegram text with its second word formatted."""
    first, _, rest = text.partition(" ")
    middle, _, last = rest.partition(" ")
    return [f"{first} ", {"type": kind, "text": middle}, f" {last}" if last else ""]


def plain(value: Any) -> str:
    """The text of pieces."""
    return value if isinstance(value, str) else "".join(map(_piece, value))


def _piece(piece: Any) -> str:
    return piece if isinstance(piece, str) else str(piece["text"])


def messages(texts: Iterable[Any], author: str = "Канал весёлых историй") -> list[dict[str, Any]]:
    """Telegram's messages: texts are strings or lists of pieces."""
    found: list[dict[str, Any]] = [
        {
            "id": 1,
            "type": "service",
            "date": "2024-03-01T09:00:00",
            "actor": author,
            "action": "create_channel",
            "title": author,
            "text": "",
            "text_entities": [],
        }
    ]
    for number, text in enumerate(texts, 2):
        entities = [{"type": "plain", "text": p} if isinstance(p, str) else p for p in text]
        found.append(
            {
                "id": number,
                "type": "message",
                "date": f"2024-03-01T10:{number % 60:02}:00",
                "from": author,
                "from_id": "channel1234567890",
                "text": text,
                "text_entities": [{"type": "plain", "text": text}]
                if isinstance(text, str)
                else [entity for entity in entities if entity["text"]],
            }
        )
    return found


def telegram(texts: Iterable[Any], name: str = "Канал весёлых историй") -> dict[str, Any]:
    """One chat, as Telegram Desktop exports it."""
    chat = {"name": name, "type": "public_channel", "id": 1234567890}
    return {**chat, "messages": messages(texts, name)}


def telegram_account(*chats: Sequence[Any]) -> dict[str, Any]:
    """A whole account: several chats below lists, with sentences around them."""
    return {
        "about": "Here is the data you requested. Remember: we keep little, and show all of it.",
        "personal_information": {"user_id": 1, "first_name": "Иван", "bio": "Люблю ежей и зонты."},
        "contacts": {"about": "Contacts that you have synced.", "list": [{"first_name": "Пётр"}]},
        "chats": {
            "about": "This page lists all chats from this export.",
            "list": [telegram(chat, f"Чат {n}") for n, chat in enumerate(chats, 1)],
        },
    }


ANDROID = "{d:02}.03.2024, 10:{m:02} - {name}: {text}"
ANDROID_ENGLISH = "3/{d}/24, 10:{m:02}\u202fAM - {name}: {text}"
IOS = "[{d:02}.03.2024, 10:{m:02}:07] {name}: {text}"
IOS_ENGLISH = "[3/{d}/24, 10:{m:02}:07\u202fAM] {name}: {text}"


def whatsapp(
    texts: Iterable[str], form: str, names: Sequence[str], notes: Sequence[str] = ()
) -> str:
    """A WhatsApp chat; system lines and media notes stand between the messages."""
    found = []
    for number, text in enumerate([*notes[:1], *texts, *notes[1:]]):
        line = form.format(
            d=1 + number // 50, m=number % 50, name=names[number % len(names)], text=text
        )
        if text in notes and text == notes[0]:  # nobody says it
            line = line.replace(f"{names[number % len(names)]}: ", "")
        found.append(line + "\n")
    return "".join(found)


def mojibake(text: str) -> str:
    """UTF-8 taken for Latin-1, as Facebook exports it."""
    return text.encode().decode("latin-1")


def facebook(texts: Iterable[str], wrong: bool = True) -> str:
    """A Messenger or Instagram thread, escaped as theirs are."""
    repair = mojibake if wrong else str
    return json.dumps(
        {
            "participants": [{"name": repair("Анна Иванова")}, {"name": repair("Пётр")}],
            "messages": [
                {
                    "sender_name": repair("Анна Иванова"),
                    "timestamp_ms": 1709280000000 + number,
                    "content": repair(text),
                    "is_geoblocked_for_viewer": False,
                }
                for number, text in enumerate(texts)
            ],
            "title": repair("Анна Иванова"),
            "is_still_participant": True,
            "thread_path": "inbox/anna_1",
            "magic_words": [],
        },
        indent=2,
    )


def discord(texts: Iterable[str]) -> dict[str, Any]:
    """DiscordChatExporter's JSON."""
    return {
        "guild": {"id": "1", "name": "Весёлый сервер", "iconUrl": "https://example.org/i.png"},
        "channel": {"id": "2", "type": "GuildTextChat", "name": "анекдоты", "topic": None},
        "dateRange": {"after": None, "before": None},
        "messages": [
            {
                "id": str(number),
                "type": "Default",
                "timestamp": "2024-03-01T10:00:00.000+00:00",
                "content": text,
                "author": {"id": "7", "name": "anna", "nickname": "Анна", "isBot": False},
                "attachments": [],
                "reactions": [],
            }
            for number, text in enumerate(texts)
        ],
        "messageCount": 3,
    }


def slack(texts: Iterable[str]) -> list[dict[str, Any]]:
    """A day of a Slack channel."""
    return [
        {
            "client_msg_id": f"{number:08x}-1111-2222-3333-444444444444",
            "type": "message",
            "text": text,
            "user": "U0123ABCD",
            "ts": f"17092800{number:02}.000100",
            "team": "T0123ABCD",
        }
        for number, text in enumerate(texts)
    ]


def turns(question: str, answer: str) -> list[dict[str, str]]:
    """A conversation of two turns with roles."""
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
