"""A bundle: a trained model as a folder.

::

    config.json        the model's shape and parts, and how it was trained
    tokenizer.json     in the Hugging Face format
    model.safetensors  the weights, float32 or int8 rows with scales
    README.md          the card, for people

``model.safetensors`` carries the SHA-256 of the other two files and of its own tensors, so
that files of different models, or a damaged one, are refused; and since a training run
replaces that one file by a rename, a bundle is whole at every moment.
"""

import dataclasses
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from anekdot.atomic_files import sha256, staged
from anekdot.bundle_archive import unpack
from anekdot.errors import AnekdotError, BundleError
from anekdot.model.config import PARTS, UNNAMED_PARTS, ModelConfig
from anekdot.quantization import dequantize_weights, quantize_weights
from anekdot.tokenizer.formats import MAX_FILE_BYTES
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.weights_file import FORMAT, WEIGHTS, read_weights, weights_hash

PRETRAINED = Path(__file__).parent / "pretrained"
CONFIG, TOKENIZER, CARD = "config.json", "tokenizer.json", "README.md"
MAX_CONFIG_BYTES = 16 << 20
MAX_CARD_BYTES = 1 << 20
# Of an archive: what may be in it, and the most bytes of what may be compressed.
_LIMITS = {
    CONFIG: MAX_CONFIG_BYTES,
    TOKENIZER: MAX_FILE_BYTES,
    CARD: MAX_CARD_BYTES,
    WEIGHTS: None,
}


@dataclass(frozen=True)
class Bundle:
    """A model with everything needed to run it.

    Attributes:
        config: The model's shape.
        tokenizer: Text to ids and back.
        stored: Arrays by name as the file holds them, see ``weights``.
        training: How the model was trained: anything JSON can hold.
        parts: What the model is built of, such as the norm; see ``check_parts``.
        card: The model card as Markdown; empty if there is none.
    """

    config: ModelConfig
    tokenizer: Tokenizer
    stored: dict[str, NDArray[np.generic]] = field(repr=False)
    training: dict[str, Any] = field(default_factory=dict, repr=False)
    parts: dict[str, str] = field(default_factory=lambda: dict(PARTS))
    card: str = field(default="", repr=False)

    @property
    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Float32 weights under the names of the model's state dict."""
        return dequantize_weights(self.stored)

    def quantized(self) -> "Bundle":
        """Returns the same model with int8 matrices."""
        return dataclasses.replace(self, stored=quantize_weights(self.weights))

    def check_parts(self, computed: Mapping[str, str], engine: str) -> None:
        """Raises a BundleError unless the model is built of just the parts that are computed.

        Args:
            computed: The parts that an engine computes.
            engine: Its name in the message.
        """
        for name in sorted(self.parts.keys() | computed.keys()):
            part, known = self.parts.get(name), computed.get(name)
            if part != known:
                raise BundleError(
                    f"The bundle's {CONFIG} names {_described(name, part)}, and {engine} computes "
                    f"{_described(name, known)}.",
                    "Use the version of anekdot that trained the model, or change the engine to "
                    "compute the same.",
                )

    def fingerprint(self) -> str:
        """Returns the SHA-256 of the stored arrays, as 64 hexadecimal digits."""
        return weights_hash(self.stored)

    def save(self, folder: Path, card: str | None = None) -> None:
        """Writes the bundle; an existing one at the same place is replaced file by file.

        The weights are written last: until then the old weights refuse the other new files.
        """
        self.save_description(folder)
        if card is not None:
            with staged(folder / CARD) as draft:
                draft.write_text(card, "utf-8")
        self.save_weights(folder)

    def save_description(self, folder: Path) -> None:
        """Writes all of a bundle but its weights and its card."""
        folder.mkdir(parents=True, exist_ok=True)
        config = {
            "format": FORMAT,
            "model": dataclasses.asdict(self.config),
            "parts": self.parts,
            "training": self.training,
        }
        with staged(folder / CONFIG) as draft:
            draft.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", "utf-8")
        self.tokenizer.save(folder / TOKENIZER)

    def save_weights(self, folder: Path) -> None:
        """Replaces the weights of a bundle whose other files are already there."""
        hashes = {
            "config": sha256(folder / CONFIG),
            "tokenizer": sha256(folder / TOKENIZER),
            "weights": weights_hash(self.stored),
        }
        with staged(folder / WEIGHTS) as draft:
            # one entry only: safetensors would write several in random order
            draft.write_bytes(save(self.stored, {FORMAT: json.dumps(hashes)}))

    @classmethod
    def load(cls, folder: Path | str | None = None) -> "Bundle":
        """Reads and checks a bundle, a folder or one .zip; without an argument, the pretrained one.

        Raises:
            BundleError: A file is missing, damaged, of another model, or does not fit.
        """
        folder = PRETRAINED if folder is None else Path(folder)
        if folder.is_file():
            return cls._load_archive(folder)
        for name in (CONFIG, TOKENIZER, WEIGHTS):
            if not (folder / name).is_file():
                raise BundleError(
                    f"{folder} is not a bundle: it has no {name}.",
                    "Give the folder that anekdot train --out wrote.",
                )
        config, parts, training = _read_config(folder / CONFIG)
        tokenizer = Tokenizer.load(folder / TOKENIZER)
        stored, hashes = read_weights(folder / WEIGHTS, config)
        for name, key in ((CONFIG, "config"), (TOKENIZER, "tokenizer")):
            if hashes.get(key) != sha256(folder / name):
                raise BundleError(
                    f"{folder / name} is not the file that {WEIGHTS} was saved with.",
                    "Take all files of the bundle from one place again.",
                )
        if tokenizer.vocab_size != config.vocab_size:
            raise BundleError(
                f"{folder} has a tokenizer of {tokenizer.vocab_size} tokens "
                f"and a model of {config.vocab_size}.",
                "Take both from the same bundle.",
            )
        return cls(config, tokenizer, stored, training, parts, _read_card(folder / CARD))

    @classmethod
    def _load_archive(cls, path: Path) -> "Bundle":
        """Reads a bundle that is one .zip; each check is that of a folder."""
        with tempfile.TemporaryDirectory(prefix="anekdot-") as folder:
            unpack(path, Path(folder), _LIMITS)
            try:
                return cls.load(folder)
            except AnekdotError as error:
                cause = error.cause.replace(folder, str(path))
                raise type(error)(cause, error.remedy) from None


def _described(name: str, part: str | None) -> str:
    return f"no {name}" if part is None else f"the {name} {part!r}"


def _read_card(path: Path) -> str:
    """Returns a card, or as much of it as may be shown; nothing depends on it."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return file.read(MAX_CARD_BYTES).decode("utf-8", "replace")


def _read_config(path: Path) -> tuple[ModelConfig, dict[str, str], dict[str, Any]]:
    """Returns shape and parts of the model, and how it was trained."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_CONFIG_BYTES + 1)
        if len(text) > MAX_CONFIG_BYTES:
            raise ValueError(f"it is larger than {MAX_CONFIG_BYTES:,} bytes")
        content = json.loads(text.decode())
        if content["format"] != FORMAT:
            raise BundleError(
                f"{path} has the format {content['format']!r}, not {FORMAT!r}.",
                "Use the version of anekdot that wrote it.",
            )
        parts = dict(content.get("parts", UNNAMED_PARTS))
        if not all(isinstance(part, str) for part in parts.values()):
            raise TypeError("a part is not a string")
        return ModelConfig(**content["model"]), parts, dict(content.get("training", {}))
    except AnekdotError as error:
        raise BundleError(f"{path}: {error.cause}", error.remedy) from None
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BundleError(
            f"{path} is not the configuration of a bundle ({error}).",
            "Restore it, or train the model again.",
        ) from None
