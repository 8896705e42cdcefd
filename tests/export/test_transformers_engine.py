"""A Transformers folder in Transformers itself, whichever version is installed."""

import json

import numpy as np
import pytest

from anekdot.bundle import Bundle
from anekdot.errors import BundleError
from anekdot.export import export, transformers
from anekdot.export.transformers_import import read
from tests.support.engines import GREEDY, load_transformers
from tests.support.texts import make_texts

pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

PROMPTS = ["Заходит русский в бар", "Вовочка", "— Доктор, у меня", ""]
NEW = 24


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The folder of the model that comes along."""
    folder = tmp_path_factory.mktemp("own") / "hf"
    export("pretrained", "transformers", folder)
    return folder


@pytest.fixture(scope="module")
def model(own):
    return load_transformers(own)


@pytest.fixture(scope="module")
def tokenizer(own):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(own, trust_remote_code=True)


@pytest.mark.parametrize("settings", [{}, {"num_beams": 3}], ids=["greedy", "beams"])
def test_the_cache_changes_nothing(model, tokenizer, settings):
    texts = [
        model.generate(
            **tokenizer(PROMPTS[0], return_tensors="pt"),
            max_new_tokens=NEW,
            use_cache=use_cache,
            **GREEDY,
            **settings,
        ).tolist()
        for use_cache in (True, False)
    ]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("cache", [None, "dynamic", "static"])
def test_left_padded_rows_are_those_alone(model, tokenizer, cache):
    batch = tokenizer(PROMPTS, return_tensors="pt", padding=True)
    assert (batch.input_ids[1, :-2] == 0).all()
    rows = model.generate(**batch, max_new_tokens=NEW, cache_implementation=cache, **GREEDY)
    for row, prompt in zip(rows[:, batch.input_ids.shape[1] :], PROMPTS, strict=True):
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        alone = model.generate(ids, max_new_tokens=NEW, **GREEDY)[0, ids.shape[1] :]
        assert row[: len(alone)].tolist() == alone.tolist()


def test_right_padding_changes_no_logits(model, tokenizer):
    batch = tokenizer(PROMPTS, return_tensors="pt", padding=True, padding_side="right")
    logits_BTV = model(**batch).logits
    for row, prompt in zip(logits_BTV, PROMPTS, strict=True):
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        np.testing.assert_allclose(
            row[: ids.shape[1]].detach(), model(ids).logits[0].detach(), atol=1e-4
        )


def test_ids_are_ours(tokenizer):
    ours = Bundle.load().tokenizer
    for text in [*make_texts(50), "a<|end|>b", "<|begin|>", "", "\u00a0 1½ 's 'RE\r\n\n  🙂"]:
        assert tokenizer(text).input_ids == [1, *ours.encode(text)]
        assert tokenizer.decode(ours.encode(text)) == text


def test_a_chat_is_its_contents(tokenizer):
    messages = [{"role": "user", "content": "Вовочка"}]
    assert tokenizer.apply_chat_template(messages, tokenize=False) == "Вовочка"


def test_texts_end(model, tokenizer):
    ids = tokenizer("Вовочка", return_tensors="pt").input_ids
    torch.manual_seed(0)
    text = model.generate(ids, max_new_tokens=400)[0].tolist()
    assert text[-1] == model.generation_config.eos_token_id == 2
    assert len(text) < 400


def test_what_transformers_saves_comes_back(model, tokenizer, tmp_path):
    model.save_pretrained(tmp_path / "again")
    tokenizer.save_pretrained(tmp_path / "again")
    again, own = read(tmp_path / "again"), Bundle.load()
    assert (again.config, again.tokenizer) == (own.config, own.tokenizer)
    for name, array in own.weights.items():
        np.testing.assert_array_equal(again.weights[name], array)


def test_it_learns(folder, tmp_path):
    export(folder, "transformers", tmp_path / "hf")
    model = load_transformers(tmp_path / "hf").train()
    ids_BT = torch.randint(3, 300, (2, 16), generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    losses = []
    for _ in range(4):
        loss = model(ids_BT, labels=ids_BT).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.05


DAMAGES = {
    "a slope flipped": ("return slopes + between[", "slopes[0] *= -1; return slopes + between["),
    "slopes shifted": ("range(1, power + 1)", "range(2, power + 2)"),
    "gate and up swapped": ("F.silu(self.gate_proj(x_BTD)) * self.up_proj(x_BTD)",
                            "F.silu(self.up_proj(x_BTD)) * self.gate_proj(x_BTD)"),
    "the cache dropped": ("past = past_key_values if cache is None else cache", "past = None"),
    "the future seen": ("hidden = distance_TS < 0", "hidden = distance_TS < -1"),
}  # fmt: skip


@pytest.mark.parametrize(("good", "bad"), DAMAGES.values(), ids=DAMAGES)
def test_the_check_sees_damaged_code(bundle, tmp_path, good, bad):
    transformers.write(bundle, tmp_path / "hf", "f32", 1024)
    assert "differ by" in transformers.check(bundle, tmp_path / "hf", "f32")
    code = (tmp_path / "hf" / transformers.CODE).read_text("utf-8")
    assert good in code
    (tmp_path / "hf" / transformers.CODE).write_text(code.replace(good, bad), "utf-8")
    with pytest.raises(BundleError, match="Transformers"):
        transformers.check(bundle, tmp_path / "hf", "f32")


def test_the_check_sees_that_the_end_is_missing(bundle, tmp_path):
    transformers.write(bundle, tmp_path / "hf", "f32", 1024)
    path = tmp_path / "hf/generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "eos_token_id": None}), "utf-8")
    with pytest.raises(BundleError, match="special tokens"):
        transformers.check(bundle, tmp_path / "hf", "f32")
