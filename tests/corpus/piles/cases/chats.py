"""Exports of messengers and forums: F2, and the chats of F3, F5 and F15."""

import gzip

from tests.corpus.piles.case import Answer, Case, case
from tests.corpus.piles.contents import (
    DIALOGUES,
    ENGLISH,
    ENGLISH_DIALOGUES,
    MIXED,
    RUSSIAN,
    RUSSIAN_PAIRS,
)
from tests.corpus.piles.shapes.chats import (
    ANDROID,
    ANDROID_ENGLISH,
    IOS,
    IOS_ENGLISH,
    facebook,
    messages,
    pieces,
    telegram,
    telegram_account,
    turns,
    whatsapp,
)
from tests.corpus.piles.shapes.files import zipped
from tests.corpus.piles.shapes.tables import dump, jsonl
from tests.corpus.piles.shapes.text import lines

TALKS = DIALOGUES[:20]
PIECES = [pieces(text) for text in MIXED]
HALF = [text if n % 3 else pieces(text) for n, text in enumerate(MIXED)]
ENCRYPTED = "Сообщения и звонки защищены сквозным шифрованием. Подробнее"
SAFE = "Messages and calls are end-to-end encrypted. No one outside of this chat can read them."
RU_NOTES = (ENCRYPTED, "<Без медиафайлов>", "Данное сообщение удалено", "<Без медиафайлов>")
EN_NOTES = (SAFE, "<Media omitted>", "This message was deleted", "<Media omitted>")
IOS_NOTES = (ENCRYPTED, "\u200eизображение отсутствует", "\u200eаудиофайл отсутствует")
IOS_EN_NOTES = (SAFE, "\u200eimage omitted", "\u200eaudio omitted")
JOINED = [f"{question}\n{answer}" for question, answer in RUSSIAN_PAIRS]
TURNS = [turn for pair in RUSSIAN_PAIRS for turn in pair]
APART = ["\n\n".join(pair) for pair in RUSSIAN_PAIRS]
NAMES = ("Анна", "Дядя Витя")

TINY = """{"name":"Канал","type":"public_channel","messages":[
 {"id":1,"type":"service","actor":"Канал","text":""},
 {"id":2,"type":"message","from":"Канал весёлых историй города",\
"text":["Купил ёж ",{"type":"bold","text":"зонт, а дождь ушёл к соседям."},""]},
 {"id":3,"type":"message","from":"Канал весёлых историй города",\
"text":["Врач спросил: ",{"type":"italic","text":"болит? Смотря кого."},""]}]}"""

TELEGRAM = [
    case("F2", "Telegram, two formatted messages", {"result.json": TINY},
         ["Купил ёж зонт, а дождь ушёл к соседям.", "Врач спросил: болит? Смотря кого."]),
    case("F2", "Telegram, plain messages", {"result.json": dump(telegram(MIXED), indent=1)}, MIXED),
    case("F2", "Telegram, every message formatted",
         {"result.json": dump(telegram(PIECES), indent=1)}, MIXED),
    case("F2", "Telegram, a third of the messages formatted",
         {"result.json": dump(telegram(HALF), indent=1)}, MIXED),
    case("F2", "Telegram, one plain message among formatted ones",
         {"result.json": dump(telegram([*PIECES, RUSSIAN[50]]), indent=1)}, [*MIXED, RUSSIAN[50]]),
    case("F2", "Telegram, a column named by the user",
         {"result.json": dump(telegram(HALF), indent=1)}, MIXED, flags={"column": "text"}),
    case("F2", "Telegram, posts without a text among them",
         {"result.json": dump(telegram(["", *HALF[:15], "", "", *HALF[15:], ""]))}, MIXED),
    case("F2", "Telegram, the array of messages alone, a message a line",
         {"messages.jsonl": jsonl(messages(HALF)[1:])}, MIXED),
    case("F2", "Telegram, several formats in a message",
         {"result.json": dump(telegram([
             [{"type": "bold", "text": a[:5]}, a[5:], "\n", {"type": "spoiler", "text": b}]
             for a, b in zip(RUSSIAN[:20], RUSSIAN[20:40], strict=True)]))},
         [f"{a}\n{b}" for a, b in zip(RUSSIAN[:20], RUSSIAN[20:40], strict=True)]),
    case("F2", "Telegram, entities named by the user",
         {"result.json": dump(telegram(HALF), indent=1)}, MIXED, flags={"column": "text_entities"}),
    case("F2", "Telegram, after a byte order mark",
         {"result.json": "\ufeff" + dump(telegram(HALF), indent=1)}, MIXED),
    case("F2", "Telegram, compressed",
         {"result.json.gz": gzip.compress(dump(telegram(HALF)).encode())}, MIXED),
    case("F3", "Telegram, a whole account of one message", {"result.json": dump({
        "about": "Вот ваши данные.",
        "chats": {"about": "Список чатов.", "list": [{"name": "Иван", "messages": [
            {"id": 1, "type": "message", "text": RUSSIAN[0]}]}]}})}, RUSSIAN[:1]),
    case("F3", "Telegram, a whole account of three chats", {"result.json": dump(
        telegram_account(HALF[:10], HALF[10:20], HALF[20:]), indent=1)}, MIXED),
    case("F3", "Telegram, a whole account of one chat, plain",
         {"result.json": dump(telegram_account(RUSSIAN[:30]), indent=1)}, RUSSIAN[:30]),
]  # fmt: skip

OTHERS = [
    case("F3", "Facebook's thread", {"message_1.json": facebook(TALKS)}, TALKS),
    case("F3", "Facebook's thread of lines", {"message_1.json": facebook(RUSSIAN[:30])},
         RUSSIAN[:30]),
    case("F3", "Instagram's thread in English", {"message_1.json": facebook(ENGLISH)}, ENGLISH),
    case("F3", "Facebook's thread, whose letters are whole",
         {"message_1.json": facebook(TALKS, wrong=False)}, TALKS),
    case("F3", "Facebook's posts", {"your_posts_1.json": dump([
        {"timestamp": 1709280000 + n, "data": [{"post": text}], "title": "Анна обновила статус."}
        for n, text in enumerate(TALKS)], indent=1)}, TALKS),
    case("F3", "VK's wall", {"wall.json": dump({"response": {"count": 20, "items": [
        {"id": n, "from_id": -5, "date": 1709280000, "post_type": "post", "text": text,
         "attachments": [], "likes": {"count": n}} for n, text in enumerate(TALKS)]}})}, TALKS),
    case("F3", "tweets", {"tweets.json": dump([
        {"tweet": {"id_str": f"17628{n:05}", "full_text": text, "lang": "en",
                   "source": "<a href='https://example.org/app'>A phone</a>"}}
        for n, text in enumerate(ENGLISH)], indent=1)}, ENGLISH),
    case("F15", "VK's messages as text", {"vk.txt": "\n".join(
        f"Пётр П. (12.03.2024 10:{n:02}:00):\n{text}\n" for n, text in enumerate(TALKS))}, TALKS),
    case("F15", "VK's messages of one line", {"vk.txt": "\n".join(
        f"Пётр П. (12.03.2024 10:{n:02}:00):\n{text}" for n, text in enumerate(RUSSIAN[:30]))},
         RUSSIAN[:30]),
    case("F15", "chat lines with a time", {"log.txt": lines(
        f"[10:{n:02}] <anna> {text}" for n, text in enumerate(ENGLISH))}, ENGLISH),
]  # fmt: skip

WHATSAPP = [
    case("F15", f"WhatsApp, {name}", {"chat.txt": whatsapp(texts, form, names, notes)}, texts)
    for name, texts, form, names, notes in (
        ("Android, Russian, one line a message", RUSSIAN[:30], ANDROID, NAMES, RU_NOTES),
        ("Android, Russian, messages of several lines", MIXED, ANDROID, NAMES, RU_NOTES),
        ("Android, English", ENGLISH_DIALOGUES, ANDROID_ENGLISH, ("Anna", "Uncle Vic"), EN_NOTES),
        ("iPhone, Russian", MIXED, IOS, NAMES, IOS_NOTES),
        ("iPhone, English", ENGLISH, IOS_ENGLISH, ("Anna", "Uncle Vic"), IOS_EN_NOTES),
        ("a telephone number for a name", MIXED, ANDROID, ("+7 900 000-00-00", "Анна"), RU_NOTES),
    )
]  # fmt: skip

WHATSAPP += [
    case("F15", "WhatsApp, in the archive that it sends", {"chat.zip": zipped({
        "_chat.txt": whatsapp(MIXED, IOS, NAMES, IOS_NOTES)})}, MIXED),
    case("F15", "WhatsApp, two people in a folder", {
        "a.txt": whatsapp(RUSSIAN[:20], ANDROID, NAMES, RU_NOTES),
        "b.txt": whatsapp(TALKS, IOS, NAMES, IOS_NOTES)}, [*RUSSIAN[:20], *TALKS]),
]  # fmt: skip
SPOKEN = (JOINED, Answer(APART), Answer(TURNS))
ASKED_ALIKE = [turns("Расскажи, пожалуйста, короткий смешной анекдот.", t) for t in RUSSIAN[:20]]
CONVERSATIONS = [
    case("F5", "messages with roles, a conversation a line",
         {"a.jsonl": jsonl({"messages": turns(*pair)} for pair in RUSSIAN_PAIRS)},
         JOINED, also=SPOKEN[1:]),
    case("F5", "messages with roles, in one array",
         {"a.json": dump([{"messages": turns(*pair)} for pair in RUSSIAN_PAIRS], indent=1)},
         JOINED, also=SPOKEN[1:]),
    case("F5", "messages with roles, after the same system prompt",
         {"a.jsonl": jsonl({"messages": [{"role": "system", "content": "Ты весёлый помощник."},
                                         *turns(*pair)]} for pair in RUSSIAN_PAIRS)},
         JOINED, also=SPOKEN[1:]),
    case("F5", "messages with roles, all asked alike",
         {"a.jsonl": jsonl({"messages": each} for each in ASKED_ALIKE)}, RUSSIAN[:20]),
    case("F5", "ShareGPT's conversations", {"a.json": dump([
        {"id": f"identity_{n}", "conversations": [{"from": "human", "value": question},
                                                  {"from": "gpt", "value": answer}]}
        for n, (question, answer) in enumerate(RUSSIAN_PAIRS)], indent=1)},
         JOINED, also=SPOKEN[1:]),
    case("F5", "marks of ChatML in a text file", {"a.txt": "".join(
        f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n{answer}<|im_end|>\n"
        for question, answer in RUSSIAN_PAIRS)}, JOINED, also=SPOKEN[1:]),
    case("F5", "one role and one content a line",
         {"a.jsonl": jsonl({"role": "assistant", "content": text} for text in TALKS)}, TALKS),
]  # fmt: skip

CASES: list[Case] = [*TELEGRAM, *OTHERS, *WHATSAPP, *CONVERSATIONS]
