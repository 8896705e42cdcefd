"""One .zip to give away: it runs as it is, and holds no text of the corpus."""

import zipfile

import numpy as np
import pytest

from anekdot.bundle import CARD, CONFIG, TOKENIZER, WEIGHTS, Bundle
from anekdot.errors import AnekdotError
from anekdot.export import bundle_zip, export
from anekdot.generation.generator import load
from tests.support.bundles import random_bundle

SECRET = "тайный анекдот про кота"
FIGURES = "On 7 validation documents: 0.966 bits per byte, 3.389 nats per token, perplexity 29.6."


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("dtype", ["int8", "f16", "f32"])
def test_it_tells_what_its_model_tells(bundle, folder, tmp_path, dtype):
    export(folder, "bundle", tmp_path / "x.zip", dtype=dtype)
    loaded = Bundle.load(tmp_path / "x.zip")
    assert loaded.config == bundle.config
    assert loaded.tokenizer == bundle.tokenizer
    kinds = {array.dtype.name for array in loaded.stored.values() if array.ndim == 2}
    assert kinds == {{"int8": "int8", "f16": "float16", "f32": "float32"}[dtype]}
    loaded.save(tmp_path / "unpacked")
    texts = [
        load(place).generate("кот", seed=1) for place in (tmp_path / "x.zip", tmp_path / "unpacked")
    ]
    assert texts[0] == texts[1]
    if dtype == "f32":
        assert texts[0] == load(folder).generate("кот", seed=1)


def test_int8_that_is_there_stays_to_the_bit(tmp_path):
    export("pretrained", "bundle", tmp_path / "x.zip")
    assert Bundle.load(tmp_path / "x.zip").fingerprint() == Bundle.load().fingerprint()


def test_it_holds_four_files_and_no_text_of_the_corpus(bundle, folder, tmp_path):
    (folder / "run" / "data").mkdir(parents=True)
    (folder / "run" / "data" / "documents.parquet").write_text(SECRET, "utf-8")
    (folder / "run" / "samples.md").write_text(SECRET, "utf-8")
    (folder / CARD).write_text(f"# Mine\n\n{FIGURES}\n\n{SECRET}\n", "utf-8")
    export(folder, "bundle", tmp_path / "x.zip")
    files = members(tmp_path / "x.zip")
    assert sorted(files) == sorted([CARD, CONFIG, TOKENIZER, WEIGHTS])
    assert not any(SECRET.encode() in data for data in files.values())
    card = files[CARD].decode()
    assert FIGURES in card
    assert "10 samples that nobody picked" in card
    assert card.count("    ***") == 9


def test_figures_survive_a_second_export(folder, tmp_path):
    (folder / CARD).write_text(f"# Mine\n\n{FIGURES}\n", "utf-8")
    export(folder, "bundle", tmp_path / "x.zip")
    export(tmp_path / "x.zip", "bundle", tmp_path / "y.zip")
    assert FIGURES in Bundle.load(tmp_path / "y.zip").card
    assert members(tmp_path / "x.zip")[WEIGHTS] == members(tmp_path / "y.zip")[WEIGHTS]


def test_the_same_model_gives_the_same_bytes(folder, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        export(folder, "bundle", tmp_path / name / "x.zip")
    assert (tmp_path / "a/x.zip").read_bytes() == (tmp_path / "b/x.zip").read_bytes()


def test_numbers_that_float16_does_not_hold_are_refused(bundle, tmp_path):
    bundle.stored["blocks.0.attention.q_proj.weight"][1, 2] = 1e8
    with pytest.raises(AnekdotError, match=r"q_proj.*f16"):
        bundle_zip.write(bundle, tmp_path / "x.zip", "f16", 0)


def test_the_check_sees_another_model(bundle, tmp_path):
    bundle_zip.write(bundle, tmp_path / "x.zip", "f32", 0)
    bundle_zip.check(bundle, tmp_path / "x.zip", "f32")
    with pytest.raises(AnekdotError, match="does not hold"):
        bundle_zip.check(random_bundle(seed=1), tmp_path / "x.zip", "f32")
    np.negative(bundle.stored["final_norm.weight"], out=bundle.stored["final_norm.weight"])
    with pytest.raises(AnekdotError, match="does not hold"):
        bundle_zip.check(bundle, tmp_path / "x.zip", "f32")
