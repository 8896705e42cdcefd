"""The stages in order: prepare, train, evaluate. Nothing else composes them."""

import dataclasses
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anekdot.bundle import CARD, TOKENIZER, Bundle
from anekdot.callbacks import Notice, Observer, Progress
from anekdot.corpus.cleaning import clean
from anekdot.corpus.collecting import collect
from anekdot.corpus.manifest import MANIFEST, Manifest, hash_files
from anekdot.corpus.reading import Source, read
from anekdot.corpus.shards import Shard, write_shard
from anekdot.corpus.splitting import SIDES
from anekdot.errors import BundleError, ConfigurationError, CorpusError, require
from anekdot.model.config import ModelConfig
from anekdot.settings import (
    MOST_STEPS,
    PreparationConfig,
    build,
    check_known,
    field_names,
    fill_up,
    resolve,
)
from anekdot.store import staged
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.training.config import TrainingConfig
from anekdot.training.interruption import interruption
from anekdot.training.run_folder import (
    card,
    claim,
    held,
    is_taken,
    prepared_folder,
    refuse_difference,
)

if TYPE_CHECKING:
    from anekdot.evaluation.likelihood import Likelihood


def prepare(
    *sources: Source,
    out: Path | str,
    progress: Progress | None = None,
    notice: Notice | None = None,
    **fields: Any,
) -> Manifest:
    """Reads, cleans, splits and encodes texts: files in, a prepared folder out.

    Args:
        sources: Files, folders, or "-" for standard input.
        out: The folder to make, with tokenizer.json, shards and manifest.json.
        progress: Called with (done, total, unit) through every stage.
        notice: Told what was guessed about a file.
        fields: Any field of PreparationConfig.

    Raises:
        ConfigurationError: A field cannot be, or the folder exists and is not empty.
        CorpusError: The texts cannot be used.
    """
    check_known(fields, field_names(PreparationConfig), "The call")
    config, out = PreparationConfig(**fields), Path(out)
    if is_taken(out) or out.resolve() == Path.cwd():
        raise ConfigurationError(
            f"{out} is not empty, or is the current folder.",
            "Name a folder that does not exist yet.",
        )
    with staged(out) as draft:  # a folder that cannot be written is known before the texts are read
        draft.mkdir()
        collection = collect(
            sources,
            validation=config.validation,
            test=config.test,
            no_obscene=config.no_obscene,
            progress=progress,
            notice=notice,
        )
        if not collection.sides["train"]:
            raise CorpusError(
                f"Of {collection.kept} texts none fell to the training side.",
                "Give more texts, or --validation 0 --test 0 to train on all.",
            )
        tokenizer = Tokenizer.train(collection.sides["train"], config.vocab_size, progress=progress)
        tokenizer.save(draft / TOKENIZER)
        written = {
            side: write_shard(
                draft, side, _documents(tokenizer, texts, progress), tokenizer.vocab_size
            )
            for side, texts in collection.sides.items()
        }
        manifest = Manifest(
            sources=[str(source) for source in sources],
            settings=dataclasses.asdict(config),
            texts_in=collection.texts_in,
            dropped=collection.dropped,
            documents={side: documents for side, (documents, _) in written.items()},
            tokens={side: tokens for side, (_, tokens) in written.items()},
            vocab_size=tokenizer.vocab_size,
            files=hash_files(draft),
        )
        manifest.save(draft)
    return manifest


def _documents(
    tokenizer: Tokenizer, texts: Sequence[str], progress: Progress | None
) -> Iterator[NDArray[np.integer]]:
    """Yields the ids of whole documents, from begin to end token."""
    ids, offsets = tokenizer.encode_batch(texts, progress=progress)
    for start, stop in pairwise(offsets.tolist()):
        yield np.concatenate([[tokenizer.begin_id], ids[start:stop], [tokenizer.end_id]])


@dataclass(frozen=True)
class Trained:
    """What a training run made.

    Attributes:
        bundle: The folder of the model.
        validation: Of the best model on the whole validation side; None without one.
        curves: The picture of the run.
    """

    bundle: Path
    validation: "Likelihood | None"
    curves: Path


def train(
    *sources: Source,
    out: Path | str,
    preset: str | None = None,
    recipe: str | None = None,
    config: Path | str | None = None,
    observe: Observer | None = None,
    progress: Progress | None = None,
    notice: Notice | None = None,
    **fields: Any,
) -> Trained:
    """Trains a model on texts or on a prepared folder, or goes on with an unfinished run.

    Args:
        sources: Files, folders, "-", or one folder that ``prepare`` made.
        out: The bundle's folder; a run in it that was stopped is continued.
        preset: The model's shape: "nano" (unless the file says otherwise), "mini" or "small".
        recipe: "default", or "mission" for the settings of the original assignment.
        config: A TOML file with any fields.
        observe: Called with every record of metrics.jsonl.
        progress: Called with (done, total, unit) while the texts are prepared.
        notice: Told what was guessed about a file.
        fields: Any field of ModelConfig, TrainingConfig or PreparationConfig.

    Raises:
        AnekdotError: The texts, the settings or the folder cannot be used.
    """
    require("anekdot train", "train", "torch", "matplotlib")
    _limit_spinning()
    with interruption() as interrupted:  # an import may swallow a KeyboardInterrupt
        from anekdot.training.curves import draw_curves  # noqa: PLC0415 (torch is optional)
        from anekdot.training.loop import Run  # noqa: PLC0415
    if interrupted.is_set():
        raise KeyboardInterrupt
    settled, asked = resolve(recipe, preset, config, fields)
    _check_early(settled, asked)
    out = Path(out)
    with held(out):
        data = _prepared(sources, out, settled, asked, progress=progress, notice=notice)
        tokenizer = Tokenizer.load(data / TOKENIZER)
        sides = {side: Shard.open(data, side) for side in SIDES}
        wanted = Manifest.load(data).settings["vocab_size"]
        if tokenizer.vocab_size < wanted and notice is not None:
            notice(
                f"The vocabulary has {tokenizer.vocab_size:,} tokens, not {wanted:,}: "
                "the texts give no more."
            )
        learned = sides["train"]
        settled = fill_up(settled, asked, documents=len(learned), tokens=len(learned.ids))
        run = Run(
            folder=out,
            model_config=build(ModelConfig, {**settled, "vocab_size": tokenizer.vocab_size}),
            config=build(TrainingConfig, settled),
            tokenizer=tokenizer,
            training_side=learned,
            validation_side=sides["validation"],
            observe=observe or (lambda record: None),
        )
        claim(out, run.model_config, run.config, data)
        validation = run.train()
        curves = draw_curves([out], out / "run" / "curves.png")
        with staged(out / CARD) as draft:
            draft.write_text(card(out.resolve().name, run.model_config, validation), "utf-8")
        with staged(out / "run" / "finished.json") as draft:
            draft.write_text(json.dumps(dataclasses.asdict(run.progress)) + "\n", "utf-8")
    return Trained(out, validation, curves)


def _limit_spinning() -> None:
    """Keeps PyTorch's threads from waiting busily for one that another program displaced.

    libgomp reads the variable once, when torch loads it; see docs/log.md for the figures.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def _check_early(settled: dict[str, Any], asked: dict[str, Any]) -> None:
    """Raises a ConfigurationError for what cannot work, before any text is read."""
    build(ModelConfig, settled)
    build(PreparationConfig, settled)
    longest = {"steps": MOST_STEPS, **settled}
    build(TrainingConfig, fill_up(longest, asked, documents=0, tokens=0))


def evaluate(
    bundle: Path | str, texts: Path | str | None = None, progress: Progress | None = None
) -> "Likelihood":
    """Measures a model in float32 on the documents of a file, or on its test side.

    Args:
        bundle: The model's folder.
        texts: A file or folder of documents; without it, the test side of the prepared
            folder that the bundle was trained on.
        progress: Called with (done, total, "windows").

    Raises:
        AnekdotError: The bundle or the texts cannot be used, or no test side is known.
    """
    require("anekdot evaluate", "train", "torch")
    _limit_spinning()
    from anekdot.evaluation.likelihood import likelihood  # noqa: PLC0415 (torch is optional)
    from anekdot.model.transformer import Transformer  # noqa: PLC0415
    from anekdot.training.checkpoints import load_arrays  # noqa: PLC0415
    from anekdot.training.hardware import pick_device  # noqa: PLC0415

    bundle = Path(bundle)
    loaded = Bundle.load(bundle)
    if texts is None:
        documents = _test_side(bundle, loaded.tokenizer)
    else:
        found = filter(None, (clean(document.text) for document in read(texts)))
        documents = list(_documents(loaded.tokenizer, list(found), None))
        if not documents:
            raise CorpusError(f"{texts} has no texts.", "Name a file with at least one.")
    model = Transformer(loaded.config)
    load_arrays(model, loaded.weights)
    return likelihood(
        model.to(pick_device()), documents, loaded.tokenizer.token_lengths, progress=progress
    )


def _test_side(bundle: Path, tokenizer: Tokenizer) -> list[Any]:
    """Returns the test documents of the folder that a bundle was trained on."""
    data = prepared_folder(bundle)
    if Tokenizer.load(data / TOKENIZER) != tokenizer:
        raise BundleError(
            f"{data} was prepared with another tokenizer than {bundle} has.",
            "Name texts with --texts FILE.",
        )
    side = Shard.open(data, "test")
    if not len(side):
        raise BundleError(f"The test side of {data} is empty.", "Name texts with --texts FILE.")
    return [side.document(number) for number in range(len(side))]


def _prepared(
    sources: Sequence[Source],
    out: Path,
    settled: dict[str, Any],
    asked: dict[str, Any],
    **callbacks: Any,
) -> Path:
    """Returns the prepared folder: the one given, the run's own, or a new one in the run."""
    if len(sources) == 1 and (Path(sources[0]) / MANIFEST).is_file():
        data = Path(sources[0])
        before = Manifest.load(data).settings
        wanted = {name: asked.get(name, value) for name, value in before.items()}
        refuse_difference(data, before, wanted)
        return data
    data = out / "run" / "data"
    wanted = dataclasses.asdict(build(PreparationConfig, settled))
    if not data.exists():
        prepare(*sources, out=data, **callbacks, **wanted)
        return data
    manifest = Manifest.load(data)
    named = [str(source) for source in sources]
    refuse_difference(
        out, {**manifest.settings, "sources": manifest.sources}, {**wanted, "sources": named}
    )
    return data
