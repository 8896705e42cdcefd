"""Puts a trained bundle into the package as int8: python tools/ship_pretrained.py BUNDLE."""

import sys
from pathlib import Path

from anekdot.bundle import CARD, PRETRAINED, Bundle

LARGEST = 16_000_000  # bytes

source = Path(sys.argv[1])
card = (source / CARD).read_text("utf-8").replace(source.name, "the pretrained model", 1)
Bundle.load(source).quantized().save(PRETRAINED, card)
size = sum(path.stat().st_size for path in PRETRAINED.iterdir())
assert size <= LARGEST, f"the bundle has {size:,} bytes, and may have {LARGEST:,}"
print(f"{PRETRAINED}: {size:,} bytes")
