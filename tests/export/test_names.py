import pytest

from anekdot.export.names import tensor_names
from tests.support.bundles import random_bundle


@pytest.mark.parametrize("form", ["gguf", "transformers"])
@pytest.mark.parametrize("tied", [True, False])
def test_each_tensor_has_a_name_of_its_own(form, tied):
    config = random_bundle(tie_embeddings=tied, n_layer=12).config
    names = tensor_names(config, form)
    assert len(set(names.values())) == len(names) == 12 * 9 + 3 - tied
    numbers = {name.split(".")[1]: written for name, written in names.items() if "q_proj" in name}
    assert all(f".{number}." in written for number, written in numbers.items())


def test_names_are_those_of_the_gguf_package():
    gguf = pytest.importorskip("gguf")
    known = gguf.MODEL_TENSORS[gguf.MODEL_ARCH.REFACT]
    templates = {gguf.TENSOR_NAMES[tensor] for tensor in known}
    config = random_bundle(tie_embeddings=False).config
    for name in tensor_names(config, "gguf").values():
        stem = name.removesuffix(".weight")
        assert stem in {template.format(bid=layer) for template in templates for layer in (0, 1)}
