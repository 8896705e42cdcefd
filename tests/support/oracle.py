"""The model in float64, by reading a bundle's files and nothing else of this package.

Letters: ``T`` positions, ``D`` width, ``N`` heads, ``H`` width of a head, ``V`` vocabulary.
"""

import json
import math
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file


def log_probabilities(folder: Path, ids: list[int]) -> np.ndarray:
    """Returns log_p_TV: at each position, the logarithms of what comes next."""
    shape = json.loads((folder / "config.json").read_text("utf-8"))["model"]
    stored = load_file(folder / "model.safetensors")
    w = {name: array.astype(np.float64) for name, array in stored.items()}
    for name in [name for name in w if name.endswith(".scale")]:
        w[name.removesuffix(".scale")] *= w.pop(name)[:, None]
    heads, groups = shape["n_head"], shape["n_head"] // shape["n_kv_head"]

    def norm(x_TD, name):
        return x_TD / np.sqrt((x_TD**2).mean(1, keepdims=True) + shape["rms_eps"]) * w[name]

    power = 2 ** int(math.log2(heads))
    slopes = [2 ** (-8 * (n + 1) / power) for n in range(power)]
    slopes += [2 ** (-4 * (2 * n + 1) / power) for n in range(heads - power)]
    distance_TT = np.subtract.outer(np.arange(len(ids)), np.arange(len(ids)))
    bias_NTT = np.where(distance_TT < 0, -np.inf, -np.multiply.outer(slopes, distance_TT))
    x_TD = w["token_embedding.weight"][ids]
    for layer in range(shape["n_layer"]):
        b = f"blocks.{layer}."
        y_TD = norm(x_TD, b + "attention_norm.weight")
        q_NTH, k_NTH, v_NTH = (
            (y_TD @ w[f"{b}attention.{part}_proj.weight"].T)
            .reshape(len(ids), -1, shape["hidden_dim"] // heads)
            .swapaxes(0, 1)
            .repeat(repeats, 0)
            for part, repeats in (("q", 1), ("k", groups), ("v", groups))
        )
        scores_NTT = q_NTH @ k_NTH.swapaxes(1, 2) / math.sqrt(q_NTH.shape[2]) + bias_NTT
        p_NTT = np.exp(scores_NTT - scores_NTT.max(2, keepdims=True))
        a_NTH = p_NTT / p_NTT.sum(2, keepdims=True) @ v_NTH
        x_TD += a_NTH.swapaxes(0, 1).reshape(x_TD.shape) @ w[b + "attention.out_proj.weight"].T
        y_TD = norm(x_TD, b + "feed_forward_norm.weight")
        gate_TF = y_TD @ w[b + "feed_forward.gate_proj.weight"].T
        up_TF = y_TD @ w[b + "feed_forward.up_proj.weight"].T
        h_TF = gate_TF / (1 + np.exp(-gate_TF)) * up_TF
        x_TD += h_TF @ w[b + "feed_forward.down_proj.weight"].T
    head = w.get("lm_head.weight", w["token_embedding.weight"])
    logits_TV = norm(x_TD, "final_norm.weight") @ head.T
    logits_TV -= logits_TV.max(1, keepdims=True)
    return logits_TV - np.log(np.exp(logits_TV).sum(1, keepdims=True))
