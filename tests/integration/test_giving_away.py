"""A model is given away: exported, told from, imported and trained on."""

import re
import zipfile

import pytest

from anekdot.bundle import Bundle
from tests.support.commands import anekdot


def test_train_says_where_the_texts_are_and_how_to_leave_them_behind(trained):
    said = (trained.parent / "output.txt").read_text("utf-8").splitlines()[-1]
    for words in (said, (trained / "README.md").read_text("utf-8")):
        assert "model/run/data holds the texts" in words
        assert "anekdot export model --to bundle --out model.zip" in words


def test_a_model_as_one_file(trained, texts, tmp_path):
    exported = anekdot("export", trained, "--to", "bundle", "--out", "x.zip", cwd=tmp_path)
    assert exported.returncode == 0, exported.stderr
    info, told, continued = exported.stdout.splitlines()[-3:]
    assert continued.startswith("anekdot train")
    shown = anekdot(*info.split()[1:], cwd=tmp_path).stdout
    assert "4 heads" in shown or "2 layers" in shown
    assert "int8" in shown
    assert "validation documents" in shown
    told = anekdot("generate", "Кот", "--model", "x.zip", "--seed", 1, cwd=tmp_path)
    assert told.stdout.startswith("Кот")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        everything = b"".join(map(archive.read, archive.namelist())).decode("utf-8", "replace")
    assert "run/data" not in everything
    assert not any(text in everything for text in texts if len(text) > 30)


def test_the_card_counts_what_it_learned_from(trained):
    card = (trained / "README.md").read_text("utf-8")
    assert re.search(r"validation documents: \d\.\d{3} ± \d\.\d{3} bits per byte", card)
    assert re.search(r"It learned from \d+ documents of [\d,]+ tokens\.", card)
    assert "another model" not in card


@pytest.mark.slow
@pytest.mark.parametrize("target", ["gguf", "transformers"])
def test_a_model_goes_elsewhere_and_back_and_learns_on(target, trained, jokes, tmp_path):
    if target == "gguf":
        pytest.importorskip("gguf")
    for line in (
        f"export {trained} --to {target} --out x.{target}",
        f"import x.{target} --out again",
        f"train {jokes} --from again --out learned --steps 20",
    ):
        result = anekdot(*line.split(), cwd=tmp_path)
        assert result.returncode == 0, result.stderr
    before, again = Bundle.load(trained), Bundle.load(tmp_path / "again")
    assert again.fingerprint() == before.fingerprint()
    assert again.config == before.config
    learned = Bundle.load(tmp_path / "learned")
    assert learned.tokenizer == before.tokenizer
    assert learned.fingerprint() != before.fingerprint()
    card = (tmp_path / "learned/README.md").read_text("utf-8")
    assert (
        f"began with the weights of another model, of the fingerprint {again.fingerprint()}" in card
    )


def test_evaluate_takes_an_archive(trained, jokes, tmp_path):
    anekdot("export", trained, "--to", "bundle", "--out", "x.zip", "--dtype", "f32", cwd=tmp_path)
    measured = [
        anekdot("evaluate", model, "--texts", jokes, cwd=tmp_path).stdout
        for model in (trained, "x.zip")
    ]
    assert measured[0] == measured[1] != ""
