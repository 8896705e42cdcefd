"""A .zip is judged as strictly as a folder, and before it is unpacked."""

import stat
import tempfile
import zipfile

import numpy as np
import pytest

from anekdot.bundle import CARD, CONFIG, MAX_CARD_BYTES, TOKENIZER, WEIGHTS, Bundle
from anekdot.errors import AnekdotError, BundleError
from tests.support.bundles import random_bundle


@pytest.fixture
def files(tmp_path):
    """The files of a bundle, by name."""
    random_bundle().save(tmp_path / "model", "# A card")
    return {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()}


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder in which archives are unpacked."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "tmp"


def zipped(path, files, **changes):
    """Writes an archive: weights stored, the rest deflated; then changes its members."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items() if isinstance(files, dict) else files:
            info = zipfile.ZipInfo(name)
            is_weights = name.endswith(WEIGHTS)
            info.compress_type = zipfile.ZIP_STORED if is_weights else zipfile.ZIP_DEFLATED
            for attribute, value in changes.get(name.partition(".")[0], {}).items():
                setattr(info, attribute, value)
            archive.writestr(info, data)
    return path


def refusal(path, temporary):
    with pytest.raises(AnekdotError) as info:
        Bundle.load(path)
    assert not any(temporary.iterdir())
    assert str(temporary) not in str(info.value)
    assert str(path) in info.value.cause
    return info.value.cause


def test_a_whole_archive_is_loaded(files, tmp_path, temporary):
    loaded = Bundle.load(zipped(tmp_path / "x.zip", files))
    assert loaded.fingerprint() == random_bundle().fingerprint()
    assert loaded.card == "# A card"
    assert not any(temporary.iterdir())


def test_a_card_may_be_missing(files, tmp_path, temporary):
    del files[CARD]
    assert Bundle.load(zipped(tmp_path / "x.zip", files)).card == ""


@pytest.mark.parametrize(
    "name",
    [
        "../config.json",
        "/etc/passwd",
        "run/data/x",
        "model/config.json",
        "..\\x",
        "C:x",
        "x",
        "run/",
        "",
    ],
)
def test_other_names_are_refused(files, tmp_path, temporary, name):
    path = zipped(tmp_path / "x.zip", {**files, name: b"x"})
    assert "which a bundle does not have" in refusal(path, temporary)
    assert {item.name for item in tmp_path.iterdir()} == {"model", "tmp", "x.zip"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused(files, tmp_path, temporary):
    path = zipped(tmp_path / "x.zip", [*files.items(), (CONFIG, files[CONFIG])])
    assert "twice" in refusal(path, temporary)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
def test_links_and_devices_are_refused(files, tmp_path, temporary, kind):
    path = zipped(tmp_path / "x.zip", files, config={"external_attr": (kind | 0o777) << 16})
    assert "link" in refusal(path, temporary)


@pytest.mark.parametrize("bit", [0x1, 0x40, 0x2000])
def test_encrypted_members_are_refused(files, tmp_path, temporary, bit):
    path = zipped(tmp_path / "x.zip", files)
    data = bytearray(path.read_bytes())
    place = data.rindex(b"PK\x01\x02")
    data[place + 8 : place + 10] = bit.to_bytes(2, "little")
    path.write_bytes(data)
    assert "encrypted" in refusal(path, temporary)


@pytest.mark.parametrize("name", [CONFIG, TOKENIZER, CARD])
def test_a_bomb_is_refused(files, tmp_path, temporary, name):
    path = zipped(tmp_path / "x.zip", {**files, name: b" " * (65 << 20)})
    assert path.stat().st_size < 1 << 20
    assert "bytes, at most" in refusal(path, temporary)


def test_a_bomb_that_lies_about_its_size_is_refused(files, tmp_path, temporary):
    del files[CARD]
    path = zipped(tmp_path / "x.zip", {**files, CARD: b" " * (65 << 20)})
    data = bytearray(path.read_bytes())
    place = data.rindex(b"PK\x01\x02")
    data[place + 24 : place + 28] = (100).to_bytes(4, "little")  # its size, unpacked
    path.write_bytes(data)
    assert "damaged" in refusal(path, temporary)


def test_compressed_weights_are_refused(files, tmp_path, temporary):
    path = zipped(tmp_path / "x.zip", files, model={"compress_type": zipfile.ZIP_DEFLATED})
    assert "compressed" in refusal(path, temporary)


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_other_compressions_are_refused(files, tmp_path, temporary, method):
    path = zipped(tmp_path / "x.zip", files, config={"compress_type": method})
    assert "in a way that is not read here" in refusal(path, temporary)


@pytest.mark.parametrize("name", [CONFIG, TOKENIZER, WEIGHTS])
def test_a_missing_file_is_named(files, tmp_path, temporary, name):
    del files[name]
    assert name in refusal(zipped(tmp_path / "x.zip", files), temporary)


def test_the_hashes_of_a_folder_hold(files, tmp_path, temporary):
    files[CONFIG] = files[CONFIG].replace(b'"dropout": 0.0', b'"dropout": 0.1')
    assert CONFIG in refusal(zipped(tmp_path / "x.zip", files), temporary)


def test_a_flipped_bit_of_the_weights_is_seen(files, tmp_path, temporary):
    path = zipped(tmp_path / "x.zip", files)
    data = bytearray(path.read_bytes())
    place = data.index(random_bundle().stored["final_norm.weight"].tobytes())
    data[place] ^= 1
    path.write_bytes(data)
    assert "damaged" in refusal(path, temporary)


@pytest.mark.parametrize("content", [b"", b"GGUF", b"PK\x05\x06", b"PK\x03\x04" + b"x" * 999])
def test_a_file_that_is_no_archive_is_refused(tmp_path, temporary, content):
    (tmp_path / "x").write_bytes(content)
    assert "neither a bundle's folder nor the .zip" in refusal(tmp_path / "x", temporary)


def test_an_archive_that_is_cut_off_or_flipped_is_a_sentence(files, tmp_path, temporary):
    data = zipped(tmp_path / "x.zip", files).read_bytes()
    rng = np.random.default_rng(0)
    for place in [*rng.integers(len(data) - 600, len(data), 40), *rng.integers(0, 3000, 40)]:
        flipped = bytearray(data)
        flipped[place] ^= 1 << int(rng.integers(8))
        (tmp_path / "y.zip").write_bytes(flipped)
        try:
            assert Bundle.load(tmp_path / "y.zip").fingerprint() == random_bundle().fingerprint()
        except BundleError:
            continue
    for share in (0.1, 0.5, 0.99):
        (tmp_path / "y.zip").write_bytes(data[: int(len(data) * share)])
        refusal(tmp_path / "y.zip", temporary)


def test_the_longest_card_is_kept(files, tmp_path, temporary):
    files[CARD] = b"x" * MAX_CARD_BYTES
    assert len(Bundle.load(zipped(tmp_path / "x.zip", files)).card) == MAX_CARD_BYTES
