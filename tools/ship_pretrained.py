"""Puts a trained bundle into the package as int8: python tools/ship_pretrained.py BUNDLE."""

import sys
from pathlib import Path

from anekdot.bundle import CARD, PRETRAINED, Bundle

LARGEST = 16_000_000  # bytes
ORIGIN = """
The texts were public Russian anecdotes that other people collected; they are not part of
the project. Records marked obscene were left out, yet this is folklore: what the model
tells may still be rude, unfair or close to a joke that exists. The figures above are those
of the float32 weights; here the matrices are int8 rows with a scale each.
"""

source = Path(sys.argv[1])
card = (source / CARD).read_text("utf-8")
card = card.replace(f"--model {source.name} ", "").replace(f"# {source.name}", "# Pretrained")
Bundle.load(source).quantized().save(PRETRAINED, card + ORIGIN)
size = sum(path.stat().st_size for path in PRETRAINED.iterdir())
assert size <= LARGEST, f"the bundle has {size:,} bytes, and may have {LARGEST:,}"
print(f"{PRETRAINED}: {size:,} bytes")
