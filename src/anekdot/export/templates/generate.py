"""Continues a text with model.onnx beside this file: python generate.py "Студент".

It needs onnxruntime, tokenizers and numpy.
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime
import tokenizers

TEMPERATURE, TOP_K, MAX_TOKENS = 0.8, 50, 400
END = 2

folder = Path(__file__).parent
tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
tokenizer.encode_special_tokens = True  # a prompt that says <|end|> does not end there
session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
random = np.random.default_rng()

caches = [item for item in session.get_inputs() if item.name.startswith("past_key_values")]
past = {item.name: np.zeros((1, item.shape[1], 0, item.shape[3]), np.float32) for item in caches}
ids = tokenizer.encode(" ".join(sys.argv[1:])).ids  # with the begin token
new = ids
while len(ids) < MAX_TOKENS:
    inputs = {"input_ids": [new], "attention_mask": np.ones((1, len(ids)), np.int64)}
    logits, *present = session.run(None, {**inputs, **past})
    past = dict(zip(past, present, strict=True))  # both go by layers, keys before values
    likeliest = np.argsort(logits[0, -1])[-TOP_K:]
    scaled = logits[0, -1, likeliest] / TEMPERATURE
    weights = np.exp(scaled - scaled.max())
    new = [int(random.choice(likeliest, p=weights / weights.sum()))]
    if new == [END]:
        break
    ids = ids + new
print(tokenizer.decode(ids))
