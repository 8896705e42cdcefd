import pytest

from anekdot.corpus.reading.encodings import detect_encoding, is_transcoded
from anekdot.corpus.reading.foreign_encodings import check_encoding, exact
from anekdot.errors import ConfigurationError, MissingExtra
from tests.corpus.piles.contents import LANGUAGES, RUSSIAN, hyphens


def encoded(language: str, encoding: str) -> bytes:
    return "\n".join(LANGUAGES[language]).encode(encoding)


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        *(("polish", "cp1250"), ("polish", "iso-8859-2"), ("czech", "cp1250")),
        *(("turkish", "cp1254"), ("spanish", "mac-roman"), ("ukrainian", "koi8-u")),
        *(("chinese", "gbk"), ("traditional", "big5"), ("japanese", "shift_jis")),
        *(("japanese", "euc_jp"), ("korean", "euc_kr"), ("greek", "cp1253")),
        *(("hebrew", "cp1255"), ("arabic", "cp1256"), ("german", "cp1252")),
    ],
)
def test_other_languages(language, encoding):
    pytest.importorskip("chardet")
    data = encoded(language, encoding)
    assert data.decode(detect_encoding(data)) == "\n".join(LANGUAGES[language])


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "cp866", "mac-cyrillic", "iso-8859-5"])
def test_russian_needs_no_other_package(encoding, monkeypatch):
    monkeypatch.setattr("anekdot.corpus.reading.foreign_encodings._detected", None)
    for count in (5, 30):
        data = "\n".join(hyphens(RUSSIAN[:count])).encode(encoding, "ignore")
        assert detect_encoding(data) == encoding


def test_a_stray_line_does_not_change_the_encoding_of_a_file(monkeypatch):
    monkeypatch.setattr("anekdot.corpus.reading.foreign_encodings._detected", None)
    polish = LANGUAGES["polish"]
    data = "\n".join(polish).encode() + b"\n" + polish[0].encode("cp1250")
    assert not is_transcoded(detect_encoding(data))


def test_without_chardet_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="encoding"):
        detect_encoding(encoded("polish", "cp1250"))


@pytest.mark.parametrize(
    ("name", "advice"), [("cp125", "cp125"), ("koi8r-", "koi8"), ("zzzzzz", "gb18030")]
)
def test_an_unknown_name_is_refused(name, advice):
    with pytest.raises(ConfigurationError) as error:
        check_encoding(name)
    assert advice in error.value.remedy


@pytest.mark.parametrize("name", ["cp1251", "CP1251", "utf-8", "utf-8-sig", "koi8-r", "gbk"])
def test_a_named_encoding_is_not_guessed_line_by_line(name):
    check_encoding(name)
    assert is_transcoded(exact(name))
    assert "ы".encode(name).decode(exact(name)) == ("\ufeff" if name == "utf-8-sig" else "") + "ы"


@pytest.mark.parametrize("name", ["rot13", "base64", "hex"])
def test_what_is_no_encoding_of_texts(name):
    with pytest.raises(ConfigurationError):
        check_encoding(name)


def test_letters_of_dos_are_no_controls():
    lines = ["Der Bär schläft, und die Mäuse tanzen früh.", "Größe zählt nur für Hüte und Söhne."]
    assert detect_encoding("\n".join(lines * 9).encode("cp850")) == "cp850"
