"""Pages and exports: rules and gaps between paragraphs, archives of messengers, other tongues."""

from tests.corpus.piles.case import Case, case
from tests.corpus.piles.contents import DIALOGUES, ENGLISH, ENGLISH_PAIRS, RUSSIAN
from tests.corpus.piles.shapes.files import epub
from tests.corpus.piles.shapes.tables import dump, jsonl, table

TALKS, THIRTY = DIALOGUES[:20], RUSSIAN[:30]


def spoken(texts: list[str], gap: str, mark: str = "<p>{}</p>") -> str:
    """A page with a paragraph a line, and something between texts."""
    parts = ("".join(mark.format(line) for line in text.split("\n")) for text in texts)
    return f"<html><body>{gap.join(parts)}</body></html>"


PAGES = [
    case("F16", f"a page with {name} between dialogues", {"a.html": spoken(TALKS, gap)}, TALKS)
    for name, gap in (
        ("stars", "<p>***</p>"), ("stars and spaces", "<p>* * *</p>"), ("a dash", "<p>—</p>"),
        ("an empty paragraph", "<p></p>"), ("a hard space", "<p>&nbsp;</p>"),
        ("an empty span", '<p class="c1"><span></span></p>'),
        ("Word's empty paragraph", "<p class=MsoNormal><o:p>&nbsp;</o:p></p>"),
    )
]  # fmt: skip
PAGES += [
    case("F16", "a book with stars between dialogues", {"a.epub": epub([
        [part for text in half for part in (*text.split("\n"), "* * *")]
        for half in (TALKS[:10], TALKS[10:])])}, TALKS),
    case("F16", "a menu of links beside the texts", {"a.html":
         "<body><p><a href='/'>Главная</a> | <a href='/b'>Новое</a></p>"
         + "".join(f"<p>{t}</p>" for t in THIRTY) + "</body>"}, THIRTY),
    case("F16", "messages of VK's archive", {"messages0.html": (
        "<html><head><meta charset=windows-1251></head><body><div class='wrap'>"
        "<div class='page_block_header_inner'><a class='ui_crumb'>Профиль</a></div>"
        + "".join("<div class='item'><div class='message'><div class='message__header'>"
                  f"<a href='#'>Анна</a>, 1 мар 2024 в 10:{n:02}:00</div><div>"
                  + text.replace("\n", "<br>") + "<div class='kludges'><div class='attachment'>"
                  "<div class='attachment__description'>Фотография</div></div></div>"
                  "</div></div></div>" for n, text in enumerate(TALKS))
        + "</div></body></html>").encode("cp1251", "xmlcharrefreplace")}, TALKS),
]  # fmt: skip

STAMPS = {
    "French": "{0:02}/03/2024 à 10:{0:02} - ", "Finnish": "{0}.3.2024 klo 10.{0:02} - ",
    "German": "{0:02}.03.24, 10:{0:02} - ", "Spanish": "{0}/3/24, 9:{0:02} a. m. - ",
    "Chinese": "2024/3/{0} 上午9:{0:02} - ", "Korean": "2024년 3월 {0}일 오전 9:{0:02}, ",
    "Czech": "{0}. 3. 2024 10:{0:02} - ",
}  # fmt: skip
NOTES = {"French": "Ce message a été supprimé", "German": "Diese Nachricht wurde gelöscht.",
         "Spanish": "Se eliminó este mensaje.", "Chinese": "此消息已删除"}  # fmt: skip
CHATS = [
    case("F15", f"WhatsApp in {name}", {"chat.txt": "\n".join(
        f"{stamp.format(n)}Anna: {text}" for n, text in enumerate(
            ["<Médias omis>", *TALKS, NOTES.get(name, "<Media weggelaten>")], 1))}, TALKS)
    for name, stamp in STAMPS.items()
]  # fmt: skip
CHATS += [
    case("F15", "IRC with people who come and go", {"log.txt": "".join(
        f"[10:{n:02}] * anna has joined #jokes\n[10:{n:02}] <anna> {text}\n"
        for n, text in enumerate(ENGLISH))}, ENGLISH),
    case("F15", "Viber", {"a.txt": "".join(
        f"[ 01/03/24 10:{n:02}:00 ] Анна: {text}\n" for n, text in enumerate(TALKS))}, TALKS),
    case("F15", "LINE", {"a.txt": "[LINE] Chat history with Anna\nSaved on: 2024/03/01 10:00\n\n"
         "2024/03/01(Fri)\n" + "".join(f"10:{n:02}\tAnna\t{t}\n" for n, t in enumerate(THIRTY))},
         THIRTY),
    case("F15", "QIP", {"a.txt": "".join(
        f"--------------------------------------<-\nАнна (10:{n:02}:00 1/03/2008)\n{text}\n\n"
        for n, text in enumerate(TALKS))}, TALKS),
    case("F15", "a channel of Discord as text", {"a.txt":
         "=" * 62 + "\nGuild: Ours\nChannel: jokes\n" + "=" * 62 + "\n\n" + "".join(
             f"[01-Mar-24 10:{n:02} AM] anna\n{text}\n\n" for n, text in enumerate(TALKS))
         + "=" * 62 + "\nExported 20 message(s)\n" + "=" * 62 + "\n"}, TALKS),
]  # fmt: skip

REMOVED = [{"title": a, "selftext": ("[removed]", "[deleted]", b)[min(n, 2)]}
           for n, (a, b) in enumerate(ENGLISH_PAIRS)]  # fmt: skip
FIRST_ALONE = [a if n < 2 else f"{a}\n{b}" for n, (a, b) in enumerate(ENGLISH_PAIRS)]
TWEETS = dump([{"tweet": {"id_str": f"17{n:05}", "full_text": t}} for n, t in enumerate(ENGLISH)])
PROGRAMS = [
    case("F5", "posts whose bodies were removed", {"a.jsonl": jsonl(REMOVED)}, FIRST_ALONE),
    case("F5", "bodies that pandas did not have", {"a.csv": table(
        [("title", "body"), *((r["title"], r["selftext"].replace("[removed]", "nan"))
                              for r in REMOVED)])}, FIRST_ALONE),
    case("F3", "tweets of an archive", {"tweets.js": f"window.YTD.tweets.part0 = {TWEETS}"},
         ENGLISH),
    case("F3", "tweets of an archive in a folder", {
        "data/tweets.js": f"window.YTD.tweets.part0 = {TWEETS}",
        "data/manifest.js": "window.__THAR_CONFIG = {}"}, ENGLISH, source="data"),
    case("F3", "a list in a program", {"jokes.js":
         "const jokes = " + dump([{"text": t} for t in THIRTY], indent=1)
         + ";\nmodule.exports = jokes;\n"}, THIRTY),
]  # fmt: skip

FEED = ('<?xml version="1.0"?><rss><channel>' + "".join(
    f"<item><title>{t}</title></item>\n" for t in THIRTY) + "</channel></rss>")  # fmt: skip
LETTER = "From: anna@example.org\nSubject: Шутки\nMIME-Version: 1.0\n\n" + "\n\n".join(TALKS)
REFUSED = [
    case("F16", "a feed called .txt", {"a.txt": FEED}, None, refusal="which is not read. Convert"),
    case("F16", "a letter called .txt", {"a.txt": LETTER}, None,
         refusal="which is not read. Save its texts"),
    case("F16", "notes of Evernote", {"a.enex": FEED}, None, refusal="Convert it to .csv"),
]  # fmt: skip

CASES: list[Case] = [*PAGES, *CHATS, *PROGRAMS, *REFUSED]
