"""The model as an ONNX graph, node by node.

One pass reads T new tokens of B rows after those whose keys and values are given, and returns the
logits of what follows each, and all keys and values. Padding may stand on either side: the mask
has a 1 for each real token, and ALiBi sees distances only. All operators are of ONNX itself but
MatMulNBits, which multiplies int8 rows in ONNX Runtime.

Letters: ``B`` batch, ``T`` new tokens, ``S`` all tokens, ``P`` = S - T, ``N`` query heads, ``K`` KV
heads, ``G`` = N / K, ``H`` head_dim, ``D`` hidden_dim, ``V`` vocabulary.

Sources: https://onnx.ai/onnx/operators/; MatMulNBits: ``docs/ContribOperators.md`` of
https://github.com/microsoft/onnxruntime.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anekdot.model.alibi import head_slopes
from anekdot.model.config import ModelConfig
from anekdot.quantization import SCALE_SUFFIX

OPSET, IR_VERSION = 18, 9
BLOCK = 128  # weights of a row that share a scale in MatMulNBits: a power of two
ZERO = 128  # what stands for zero among its bytes
ACCURACY = "accuracy_level"  # of MatMulNBits: in what it multiplies
FLOAT_ACCURACY, INT8_ACCURACY = 1, 4
PAST, PRESENT = "past_key_values", "present"


def model_graph(config: ModelConfig, stored: dict[str, NDArray[Any]]) -> Any:
    """Returns an onnx.ModelProto.

    Args:
        config: The model's shape.
        stored: A bundle's arrays: matrices of int8 rows with their scales, or of floats.
    """
    from onnx import TensorProto, helper  # noqa: PLC0415 (an extra)

    graph = Graph(config, stored)
    hidden = graph.blocks()
    graph.node("Identity", graph.linear(hidden, graph.head), out="logits")
    ids = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])]
    mask = [helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", "all"])]
    logits_shape = ["batch", "tokens", config.vocab_size]
    logits = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, logits_shape)]
    past, present = _cache(config, PAST, "past"), _cache(config, PRESENT, "all")
    built = helper.make_graph(
        graph.nodes, "anekdot", ids + mask + past, logits + present, graph.initializers
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(built, opset_imports=opsets, ir_version=IR_VERSION)


def _cache(config: ModelConfig, name: str, length: str) -> list[Any]:
    """Returns what describes the keys and values of all layers."""
    from onnx import TensorProto, helper  # noqa: PLC0415 (an extra)

    shape = ["batch", config.n_kv_head, length, config.head_dim]
    return [
        helper.make_tensor_value_info(f"{name}.{layer}.{kind}", TensorProto.FLOAT, shape)
        for layer in range(config.n_layer)
        for kind in ("key", "value")
    ]


class Graph:
    """Nodes and weights of a graph that is being built; methods return the names of results.

    Args:
        config: The model's shape.
        stored: A bundle's arrays.
    """

    def __init__(self, config: ModelConfig, stored: dict[str, NDArray[Any]]) -> None:
        self.config, self.stored = config, stored
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self._names: set[str] = set()

    @property
    def head(self) -> str:
        """The name of the last matrix."""
        return "token_embedding.weight" if self.config.tie_embeddings else "lm_head.weight"

    def node(self, kind: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        """Adds a node with one result."""
        from onnx import helper  # noqa: PLC0415 (an extra)

        out = out or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [out], **attributes))
        return out

    def array(self, name: str, array: Any) -> str:
        """Adds an array, once."""
        from onnx import numpy_helper  # noqa: PLC0415 (an extra)

        if name not in self._names:
            self._names.add(name)
            self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def integers(self, *values: int) -> str:
        """Adds a list of integers, such as a shape."""
        return self.array("i" + "_".join(map(str, values)), np.array(values, np.int64))

    def number(self, value: float) -> str:
        """Adds a float."""
        return self.array(f"f{value!r}", np.float32(value))

    def blocks(self) -> str:
        """Adds the whole model but its head; returns x_BTD, normalised."""
        bias, x = self.bias(), self.embedding()
        for layer in range(self.config.n_layer):
            name = f"blocks.{layer}."
            normed = self.norm(x, name + "attention_norm.weight")
            x = self.node("Add", x, self.attention(normed, bias, layer))
            normed = self.norm(x, name + "feed_forward_norm.weight")
            x = self.node("Add", x, self.feed_forward(normed, name + "feed_forward."))
        return self.norm(x, "final_norm.weight")

    def bias(self) -> str:
        """Returns what is added to the scores: ALiBi, then the masks; [B, K, G, T, S]."""
        config = self.config
        n_query = self.node("Gather", self.node("Shape", "input_ids"), self.array("one", 1))
        n_key = self.node("Gather", self.node("Shape", "attention_mask"), self.array("one", 1))
        zero, one = self.array("zero", 0), self.array("one", 1)
        query = self.node("Range", self.node("Sub", n_key, n_query), n_key, one)
        key = self.node("Range", zero, n_key, one)
        distance = self.node("Sub", self.node("Unsqueeze", query, self.integers(1)), key)
        padding = self.node("Equal", "attention_mask", zero)
        padding = self.node("Unsqueeze", padding, self.integers(1, 2, 3))
        others = self.node("Not", self.node("Equal", distance, zero))  # a query always sees itself
        padding = self.node("And", padding, others)
        hidden = self.node("Or", padding, self.node("Less", distance, zero))
        slopes = np.array(head_slopes(config.n_head), np.float32)
        slopes = slopes.reshape(config.n_kv_head, -1, 1, 1)
        alibi = self.node(
            "Mul", self.array("slopes", -slopes), self.node("Cast", distance, to=1)
        )  # 1 is float32
        return self.node("Where", hidden, self.number(-math.inf), alibi)

    def attention(self, x: str, bias: str, layer: int) -> str:
        """Returns what the tokens take from those before them; [B, T, D]."""
        n_head, n_kv_head = self.config.n_head, self.config.n_kv_head
        width, name = self.config.head_dim, f"blocks.{layer}.attention."
        query, key, value = (
            self.heads(self.linear(x, f"{name}{part}_proj.weight")) for part in "qkv"
        )
        past = [f"{PAST}.{layer}.{kind}" for kind in ("key", "value")]
        present = [f"{PRESENT}.{layer}.{kind}" for kind in ("key", "value")]
        key = self.node("Concat", past[0], key, out=present[0], axis=2)
        value = self.node("Concat", past[1], value, out=present[1], axis=2)
        query = self.node("Mul", query, self.number(1 / math.sqrt(width)))
        grouped = self.integers(0, n_kv_head, n_head // n_kv_head, -1, width)
        query = self.node("Reshape", query, grouped)
        key = self.node("Unsqueeze", key, self.integers(2))
        value = self.node("Unsqueeze", value, self.integers(2))
        key = self.node("Transpose", key, perm=[0, 1, 2, 4, 3])
        scores = self.node("Add", self.node("MatMul", query, key), bias)
        out = self.node("MatMul", self.node("Softmax", scores, axis=-1), value)
        out = self.node("Reshape", out, self.integers(0, n_head, -1, width))
        out = self.node("Transpose", out, perm=[0, 2, 1, 3])
        out = self.node("Reshape", out, self.integers(0, 0, self.config.hidden_dim))
        return self.linear(out, name + "out_proj.weight")

    def heads(self, x: str) -> str:
        """Splits [B, T, heads * H] into [B, heads, T, H]."""
        split = self.node("Reshape", x, self.integers(0, 0, -1, self.config.head_dim))
        return self.node("Transpose", split, perm=[0, 2, 1, 3])

    def feed_forward(self, x: str, name: str) -> str:
        """SwiGLU; [B, T, D]."""
        gate = self.linear(x, name + "gate_proj.weight")
        gate = self.node("Mul", gate, self.node("Sigmoid", gate))
        product = self.node("Mul", gate, self.linear(x, name + "up_proj.weight"))
        return self.linear(product, name + "down_proj.weight")

    def norm(self, x: str, name: str) -> str:
        """RMSNorm; the shape of x."""
        square = self.node("Pow", x, self.number(2.0))
        mean = self.node("ReduceMean", square, self.integers(-1), keepdims=1)
        root = self.node("Sqrt", self.node("Add", mean, self.number(self.config.rms_eps)))
        return self.node("Mul", self.node("Div", x, root), self.array(name, self.stored[name]))

    def linear(self, x: str, name: str) -> str:
        """Multiplies by a matrix of the bundle, [out, in]; returns [B, T, out]."""
        if name + SCALE_SUFFIX not in self.stored:
            matrix = self.array(name, self.stored[name])
            return self.node("MatMul", x, self.node("Transpose", matrix, perm=[1, 0]))
        rows, columns = self.stored[name].shape
        return self.node(
            "MatMulNBits",
            x,
            *self.quantized(name),
            domain="com.microsoft",
            N=rows,
            K=columns,
            bits=8,
            block_size=BLOCK,
            accuracy_level=INT8_ACCURACY,  # activations too, a scale for each block of a token
        )

    def embedding(self) -> str:
        """Returns x_BTD of the tokens."""
        name = "token_embedding.weight"
        if name + SCALE_SUFFIX not in self.stored:
            return self.node("Gather", self.array(name, self.stored[name]), "input_ids")
        values, scales = (self.node("Gather", part, "input_ids") for part in self.quantized(name))
        values = self.node("Sub", self.node("Cast", values, to=1), self.number(float(ZERO)))
        scales = self.node("Unsqueeze", scales, self.integers(-1))
        row = self.node("Reshape", self.node("Mul", values, scales), self.integers(0, 0, -1))
        width = self.integers(self.config.hidden_dim)
        return self.node("Slice", row, self.integers(0), width, self.integers(2))

    def quantized(self, name: str) -> tuple[str, str]:
        """Adds a matrix of int8 rows in blocks: bytes [out, blocks, BLOCK], scales [out, blocks].

        All blocks of a row have its scale, so the integers of the bundle stay as they are.
        """
        rows, columns = self.stored[name].shape
        n_blocks = -(-columns // BLOCK)
        values = np.full((rows, n_blocks * BLOCK), ZERO, np.uint8)
        values[:, :columns] = self.stored[name].astype(np.int16) + ZERO
        scales = np.repeat(self.stored[name + SCALE_SUFFIX][:, None], n_blocks, 1)
        return (
            self.array(name, values.reshape(rows, n_blocks, BLOCK)),
            self.array(name + SCALE_SUFFIX, scales),
        )
