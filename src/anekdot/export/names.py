"""What each format calls the tensors of a model: the one table that exports and imports share.

No tensor is turned or permuted on the way: every format here keeps matrices as ``[out, in]``,
and without rotary positions queries and keys have no order of their own.

Sources: ``gguf/constants.py`` of https://github.com/ggml-org/llama.cpp for GGUF; ``LlamaModel`` of
https://github.com/huggingface/transformers, whose names other programs know best.
"""

from typing import Literal

from anekdot.model.config import ModelConfig, parameter_shapes

Format = Literal["gguf", "transformers"]

# Names here, then in GGUF and in Transformers; # stands for the number of a block.
_TABLE = """
token_embedding.weight                   token_embd.weight           model.embed_tokens.weight
blocks.#.attention_norm.weight           blk.#.attn_norm.weight      model.layers.#.input_layernorm.weight
blocks.#.attention.q_proj.weight         blk.#.attn_q.weight         model.layers.#.self_attn.q_proj.weight
blocks.#.attention.k_proj.weight         blk.#.attn_k.weight         model.layers.#.self_attn.k_proj.weight
blocks.#.attention.v_proj.weight         blk.#.attn_v.weight         model.layers.#.self_attn.v_proj.weight
blocks.#.attention.out_proj.weight       blk.#.attn_output.weight    model.layers.#.self_attn.o_proj.weight
blocks.#.feed_forward_norm.weight        blk.#.ffn_norm.weight       model.layers.#.post_attention_layernorm.weight
blocks.#.feed_forward.gate_proj.weight   blk.#.ffn_gate.weight       model.layers.#.mlp.gate_proj.weight
blocks.#.feed_forward.up_proj.weight     blk.#.ffn_up.weight         model.layers.#.mlp.up_proj.weight
blocks.#.feed_forward.down_proj.weight   blk.#.ffn_down.weight       model.layers.#.mlp.down_proj.weight
final_norm.weight                        output_norm.weight          model.norm.weight
lm_head.weight                           output.weight               lm_head.weight
"""  # noqa: E501
_COLUMNS = {"gguf": 1, "transformers": 2}
_ROWS = {row[0]: row for row in map(str.split, _TABLE.strip().splitlines())}


def tensor_names(config: ModelConfig, form: Format) -> dict[str, str]:
    """Returns what a format calls each tensor of a model, by its name in the bundle.

    >>> from anekdot.model.config import PRESETS
    >>> config = ModelConfig(vocab_size=259, context_length=64, **PRESETS["nano"])
    >>> tensor_names(config, "gguf")["blocks.2.attention.q_proj.weight"]
    'blk.2.attn_q.weight'
    """
    names = {}
    for name in parameter_shapes(config):
        parts = name.split(".")
        number = parts[1] if parts[0] == "blocks" else ""
        row = _ROWS[name.replace(f".{number}.", ".#.", 1)] if number else _ROWS[name]
        names[name] = row[_COLUMNS[form]].replace("#", number)
    return names
