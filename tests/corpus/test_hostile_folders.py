"""Hostile files, prepared: each text is accounted for, or nothing is made."""

from collections import Counter

import pytest

import anekdot
from anekdot.corpus.database import database, parquet
from anekdot.errors import CorpusError
from anekdot.run_folder import MANIFEST
from tests.support.hostile_files import REFUSED, SURVIVED
from tests.support.texts import make_texts

FEW = {"vocab_size": 300, "validation": 0.1, "test": 0.1}


def test_every_text_of_damaged_files_is_kept_or_dropped_for_a_reason(tmp_path):
    counts: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    for number, (name, data, texts, flaws) in enumerate(SURVIVED.values()):
        path = tmp_path / "texts" / f"{number:02d}" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        counts[str(path.parent)] += len(texts) + len(flaws)
        faults.update(fault for _, fault in flaws)
    (tmp_path / "texts/good.txt").write_text("\n\n".join(make_texts(99)), "utf-8")
    manifest = anekdot.prepare(tmp_path / "texts", out=tmp_path / "out", **FEW)
    assert manifest.texts_in == counts.total() + 99
    assert manifest.texts_in == sum(manifest.documents.values()) + sum(manifest.dropped.values())
    assert {reason: manifest.dropped[reason] for reason in faults} == dict(faults)
    with database(tmp_path / "spill") as connection:
        index = parquet(tmp_path / "out", "documents.parquet")
        rows = connection.execute(f"SELECT source, count(*) FROM {index} GROUP BY ALL").fetchall()
    read: Counter[str] = Counter()
    for source, count in rows:
        read["/".join(source.split("/")[: len((tmp_path / "texts/00").parts)])] += count
    del read[str(tmp_path / "texts/good.txt")]
    assert read == +counts


@pytest.mark.parametrize(("name", "data"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_refused_leaves_nothing_that_looks_finished(tmp_path, name, data):
    (tmp_path / "good.txt").write_text("\n\n".join(make_texts(9)), "utf-8")
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(CorpusError) as caught:
        anekdot.prepare(tmp_path / "good.txt", path, out=tmp_path / "out", **FEW)
    assert name in caught.value.cause
    assert not [*tmp_path.rglob(MANIFEST), *tmp_path.rglob("*.staged")]
