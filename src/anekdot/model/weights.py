"""A model's weights as NumPy arrays: out of a Transformer, and back into one."""

import numpy as np
import torch
from numpy.typing import NDArray

from anekdot.model.transformer import Transformer


def model_weights(model: Transformer) -> dict[str, NDArray[np.generic]]:
    """Returns copies of the weights as float32 under their state dict names, tied ones once."""
    tied = {"lm_head.weight"} if model.config.tie_embeddings else set()
    return {
        name: tensor.detach().cpu().numpy().copy()
        for name, tensor in model.state_dict().items()
        if name not in tied
    }


def load_weights(model: Transformer, arrays: dict[str, NDArray[np.float32]]) -> None:
    """Fills the model with weights from ``model_weights`` or from a bundle."""
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    if model.config.tie_embeddings:
        tensors["lm_head.weight"] = tensors["token_embedding.weight"]
    model.load_state_dict(tensors)
