import pytest

from anekdot.corpus.reading import read
from anekdot.corpus.reading.chats import JSON_CHATS, SERVICE, json_chat, messages, text_chat

CAT, TALK = "Купил ёж зонт.", "Кто там?\n— Кот.\n\n— Заходи."
CHATS = {
    "WhatsApp": (
        "[01.03.2024, 10:00:00] Сообщения защищены сквозным шифрованием.\n"
        f"[01.03.2024, 10:00:07] Анна: {CAT}\n"
        f"\u200e[01.03.2024, 10:01:07] Дядя Витя: {TALK}\n"
        "[01.03.2024, 10:02:07] Анна: \u200eизображение отсутствует\n"
    ),
    "WhatsApp of Android": (
        "01.03.24, 10:00 - Анна создала группу\n"
        f"01.03.24, 10:01 - Анна: {CAT} <Сообщение изменено>\n"
        f"01.03.24, 10:02 - +7 900 000-00-00: {TALK}\n"
        "01.03.24, 10:03 - Анна: <Без медиафайлов>\n"
        "01.03.24, 10:04 - Анна: Вы удалили данное сообщение\n"
    ),
    "WhatsApp in English": (
        f"3/1/24, 10:01\u202fAM - Anna: {CAT}\n3/1/24, 10:02\u202fPM - Vic: {TALK}\n"
        "3/1/24, 10:03 PM - Anna: <Media omitted>\n3/1/24, 10:03 PM - Vic left\n"
        "3/1/24, 10:04 PM - Anna: This message was deleted\n"
    ),
    "VK": f"Пётр П. (12.03.2024 10:00:00):\n{CAT}\n\nАнна (12.03.2024 в 10:01:00)\n{TALK}\n",
    "Telegram": f"Пётр П., [12.03.2024 10:00]\n{CAT}\n\nАнна, [12.03.2024 10:01:00]\n{TALK}\n",
    "IRC": f"[10:00] <anna> {CAT}\n10:01:30 <@vic> {TALK}\n",
    "ChatML": (
        "<|im_start|>system\nТы весёлый кот.<|im_end|>\n"
        f"<|im_start|>user\n{CAT}<|im_end|>\n<|im_start|>assistant\n{TALK}<|im_end|>\n"
    ),
}


@pytest.mark.parametrize(("name", "text"), CHATS.items(), ids=CHATS)
def test_messages_without_names_and_dates(tmp_path, name, text):
    assert text_chat(text.splitlines(keepends=True)) == name.split(" ", maxsplit=1)[0]
    path = tmp_path / "chat.txt"
    path.write_text(text, "utf-8")
    found = list(read(path))
    assert [document.text for document in found if not document.fault] == [CAT, TALK]
    assert {document.fault for document in found} <= {None, SERVICE}
    assert found[-1].line > 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{CAT}\n{CAT}\n",
        "[10:00] Кот спит.\n[10:01] Пёс лает.\n",
        "01.03.2024 10:00 Кот спит.\n01.03.2024 10:01 Пёс лает.\n",
        "[01.03.2024 10:00] Кот спит.\n[01.03.2024 10:01] Пёс лает.\n",  # a stamp, and no name
        f"{CAT}\n[01.03.2024, 10:00:07] Анна: {CAT}\n",
        "Кот (12.03.2024)\nспит.\nПёс (13.03.2024)\nлает.\n",
    ],
)
def test_what_is_no_chat(text):
    assert text_chat(text.splitlines(keepends=True)) is None


def test_a_message_without_end_is_bounded():
    lines = [
        (1, "[01.03.2024, 10:00:07] Анна: Кот\n", None),
        *((n, "а" * 999 + "\n", None) for n in range(99_999)),
    ]
    (document,) = messages(lines, "WhatsApp", "a.txt")
    assert len(document.text) < 12 << 20


def said(name: str, **message: object) -> bool:
    return JSON_CHATS[name][1](message)


def test_messages_of_the_program_are_known():
    assert said("Telegram", type="message")
    assert not said("Telegram", type="service")
    assert said("Facebook", type="Generic", content=CAT)
    assert said("Facebook", content="My suitcase went away and sent a postcard.")
    assert not said("Facebook", content="Reacted 😂 to your message ")
    assert not said("Facebook", content="Анна sent a photo.")
    assert not said("Facebook", type="Subscribe", content=CAT)
    assert said("Discord", type="Reply")
    assert not said("Discord", type="GuildMemberJoin")
    assert said("Slack", type="message")
    assert not said("Slack", subtype="channel_join")
    assert not said("VK", action={"type": "chat_create"})
    assert not said("roles", role="system")


def test_a_messenger_is_known_by_its_keys():
    assert json_chat(["id", "type", "from", "text", "date"]) == "Telegram"
    assert json_chat(["sender_name", "timestamp_ms", "content"]) == "Facebook"
    assert json_chat(["id", "type", "text"]) == ""
