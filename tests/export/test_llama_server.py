"""GGUF files in llama.cpp's own server, as the package xllamacpp brings it: make test-export."""

import numpy as np
import pytest

from anekdot.bundle import Bundle
from anekdot.export import gguf, llama_cpp
from anekdot.export.agreement import probe_ids
from tests.support.bundles import random_bundle
from tests.support.oracle import log_probabilities

xllamacpp = pytest.importorskip("xllamacpp")
pytest.importorskip("gguf")


@pytest.mark.parametrize("tied", [True, False])
def test_log_probabilities_are_those_of_the_oracle(tied, tmp_path):
    bundle = random_bundle(tie_embeddings=tied)
    bundle.save(tmp_path / "model")
    gguf.write(bundle, tmp_path / "x.gguf", "f32", 1024)
    ids = probe_ids(bundle.config)
    expected_V = log_probabilities(tmp_path / "model", ids)[-1]
    found_V = llama_cpp.log_probs(tmp_path / "x.gguf", ids, 300)
    assert np.abs(found_V - expected_V)[expected_V > -15].max() < 1e-4
    assert "by llama.cpp differ by" in gguf.check(bundle, tmp_path / "x.gguf", "f32")


def test_a_chat_is_the_text_that_was_said_and_goes_beyond_the_trained_length(tmp_path):
    gguf.write(Bundle.load(), tmp_path / "x.gguf", "q8_0", 1024)
    settings = xllamacpp.CommonParams()
    settings.model.path = str(tmp_path / "x.gguf")
    settings.n_parallel, settings.warmup, settings.verbosity = 1, False, -1
    server = xllamacpp.Server(settings)
    greedy = {"temperature": 0.0, "max_tokens": 30}
    chat = server.handle_chat_completions(
        {"messages": [{"role": "user", "content": "Студент"}], **greedy}
    )
    plain = server.handle_completions({"prompt": "Студент", **greedy})
    assert chat["usage"]["prompt_tokens"] == plain["usage"]["prompt_tokens"] == 2
    assert chat["choices"][0]["message"]["content"] == plain["choices"][0]["text"]
    long = server.handle_completions(
        {"prompt": [1, *[300] * 200], "max_tokens": 300, "temperature": 0.0, "ignore_eos": True}
    )
    assert long["usage"]["completion_tokens"] == 300
