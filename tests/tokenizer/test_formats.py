import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tokenizers

from anekdot.errors import TokenizerError
from anekdot.tokenizer import Tokenizer, formats
from anekdot.tokenizer.pretokens import PATTERNS

Damage = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def document(tokenizer: Tokenizer) -> dict[str, Any]:
    return json.loads(formats.serialize(tokenizer.merges))


HINDI = Tokenizer.train(["लड़का बाज़ार में आम खा रहा था।", "लड़की आम खा रही थी।"], 300)


def refusal(path: Path, content: str | bytes) -> str:
    """Writes a file, expects it to be refused, and returns the cause."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TokenizerError) as caught:
        Tokenizer.load(path)
    assert str(path) in caught.value.cause
    assert caught.value.remedy
    return caught.value.cause


def test_a_saved_tokenizer_comes_back(tokenizer: Tokenizer, tmp_path: Path) -> None:
    for each in (tokenizer, Tokenizer(()), HINDI, Tokenizer((), "qwen35")):
        path = tmp_path / "sub" / "tokenizer.json"
        each.save(path)
        assert Tokenizer.load(path) == each
        assert path.read_bytes() == formats.serialize(each.merges, each.pattern)


def test_the_split_pattern_is_part_of_a_tokenizer(tokenizer: Tokenizer) -> None:
    assert (tokenizer.pattern, HINDI.pattern) == ("qwen2", "qwen35")
    assert Tokenizer(HINDI.merges) != HINDI
    assert HINDI.truncate(280).pattern == "qwen35"
    assert pickle.loads(pickle.dumps(HINDI)) == HINDI


@pytest.mark.parametrize("name", ["tokenizer", "HINDI"])
def test_hugging_face_reads_it_and_writes_the_same(
    tokenizer: Tokenizer, tmp_path: Path, name: str
) -> None:
    tokenizer = HINDI if name == "HINDI" else tokenizer
    ours, theirs = tmp_path / "ours.json", tmp_path / "theirs.json"
    tokenizer.save(ours)
    peer = tokenizers.Tokenizer.from_file(str(ours))
    peer.save(str(theirs))
    assert Tokenizer.load(theirs) == tokenizer
    assert peer.get_vocab_size() == tokenizer.vocab_size
    assert peer.token_to_id("<|end|>") == tokenizer.end_id
    text = "Кот — врач, don't panic!\nलड़की में हिन्दी"
    ids = tokenizer.encode(text)
    assert peer.encode(text).ids == ids
    assert peer.decode(ids) == tokenizer.decode(ids) == text


def _set(*path: str | int, to: object) -> Damage:
    """Returns the damage that sets one value of the document."""

    def damage(document: Any) -> None:
        for name in path[:-1]:
            document = document[name]
        document[path[-1]] = to

    return damage


SPLIT = ("pre_tokenizer", "pretokenizers", 0)
DAMAGES: dict[str, tuple[Damage, str]] = {
    "another version": (_set("version", to="2.0"), "version is '2.0'"),
    "another pattern": (_set(*SPLIT, "pattern", "Regex", to=r"\w+"), r"\\w+"),
    "half of the other pattern": (
        _set(*SPLIT, "pattern", "Regex", to=PATTERNS["qwen35"].replace(r"\p{L}\p{M}\p{N}", "")),
        "Regex is",
    ),
    "another behaviour": (_set(*SPLIT, "behavior", to="Removed"), "behavior is 'Removed'"),
    "no pre-tokenizer": (_set("pre_tokenizer", to=None), "pre_tokenizer is None"),
    "a normalizer": (_set("normalizer", to={"type": "NFC"}), "normalizer"),
    "a prefix space": (_set("decoder", "add_prefix_space", to=True), "add_prefix_space is True"),
    "a number for false": (_set("model", "fuse_unk", to=0), "fuse_unk is 0"),
    "an unknown member": (_set("extra", to=1), "unknown member 'extra'"),
    "a missing member": (lambda d: d.pop("decoder"), "decoder is missing"),
    "no model": (lambda d: d.pop("model"), "model.merges is missing"),
    "a list for a model": (_set("model", to=[]), "model.merges is missing"),
    "an object for merges": (_set("model", "merges", to={}), "model.merges is {}"),
    "merges as text": (_set("model", "merges", 0, to="a b"), "model.merges[0] is 'a b'"),
    "a merge of three": (_set("model", "merges", 1, to=["a", "b", "c"]), "model.merges[1]"),
    "a merge of numbers": (_set("model", "merges", 1, to=[3, 4]), "model.merges[1] is [3, 4]"),
    "a merge of lists": (_set("model", "merges", 1, to=[["a"], "b"]), "model.merges[1]"),
    "an unknown token": (_set("model", "merges", 2, to=["a", "я"]), "['a', 'я']"),
    "an empty token": (_set("model", "merges", 2, to=["a", ""]), "['a', '']"),
    "a special token": (_set("model", "merges", 2, to=["<|end|>", "a"]), "'<|end|>'"),
    "a later token": (lambda d: d["model"]["merges"].reverse(), "not two known tokens"),
    "a merge twice": (lambda d: d["model"]["merges"].insert(1, d["model"]["merges"][0]), "[1]"),
    "a lost merge": (lambda d: d["model"]["merges"].pop(), "vocab has an unknown member"),
    "a lost token": (lambda d: d["model"]["vocab"].pop("a"), "model.vocab.a is missing"),
    "an id twice": (_set("model", "vocab", "a", to=5), "model.vocab.a is 5"),
    "a negative id": (_set("model", "vocab", "a", to=-1), "model.vocab.a is -1"),
    "an id in text": (_set("model", "vocab", "a", to="67"), "model.vocab.a is '67'"),
    "a fractional id": (_set("model", "vocab", "!", to=3.0), "model.vocab.! is 3.0"),
    "a truth for an id": (_set("added_tokens", 1, "id", to=True), "added_tokens[1].id is True"),
    "no special tokens": (_set("added_tokens", to=[]), "added_tokens is []"),
    "a renamed special": (_set("added_tokens", 2, "content", to="</s>"), "'</s>'"),
    "a fourth special": (lambda d: d["added_tokens"].append({"id": 9}), "added_tokens is"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_named(name: str, document: dict[str, Any], tmp_path: Path) -> None:
    damage, named = DAMAGES[name]
    damaged = copy.deepcopy(document)
    damage(damaged)
    assert named in refusal(tmp_path / "tokenizer.json", json.dumps(damaged))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("null", "model.merges is missing"),
        ("[]", "model.merges is missing"),
        ('"text"', "model.merges is missing"),
        (b"\xff\xfe", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"model": 1, "model": 2}', "two members 'model'"),
        ('{"model": {"merges": [[' + "1" * 5000 + "]]}}", "not JSON"),
        ('{"model": {"merges": [["\\ud800", "a"]]}}', "model.merges[0]"),
        ('{"model": {"merges": []}}', "version is missing"),
    ],
)
def test_hostile_files(content: str | bytes, named: str, tmp_path: Path) -> None:
    assert named in refusal(tmp_path / "tokenizer.json", content)


def test_nesting_that_still_parses(tmp_path: Path) -> None:
    for depth in range(50, 1000, 25):
        nested = "[" * depth + "]" * depth
        for content, named in [
            (f'{{"model": {{"merges": [{nested}]}}}}', "model.merges[0] is [["),
            (f'{{"model": {{"merges": []}}, "version": {nested}}}', "version is [["),
        ]:
            cause = refusal(tmp_path / "tokenizer.json", content)
            assert named in cause or "nested too deeply" in cause


def test_a_file_that_is_too_large(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(formats, "MAX_FILE_BYTES", 1000)
    assert "larger than 1000 bytes" in refusal(tmp_path / "tokenizer.json", " " * 1001)
    assert "not JSON" in refusal(tmp_path / "tokenizer.json", " " * 1000)


def test_no_file(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(TokenizerError, match="cannot be read"):
            Tokenizer.load(path)


def test_errors_stay_short(tmp_path: Path) -> None:
    content = json.dumps({"model": {"merges": ["x" * 100_000]}})
    assert len(refusal(tmp_path / "tokenizer.json", content)) < 500


def test_a_failed_save_leaves_the_old_file(
    monkeypatch: pytest.MonkeyPatch, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    monkeypatch.setattr(Path, "write_bytes", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Tokenizer(()).save(path)
    assert Tokenizer.load(path) == tokenizer
    assert list(tmp_path.iterdir()) == [path]
