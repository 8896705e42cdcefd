"""The stages in order: prepare, train, evaluate. Nothing else composes them."""

import dataclasses
import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from anekdot.atomic_files import staged
from anekdot.bundle import CARD, TOKENIZER, Bundle
from anekdot.callbacks import Notice, Observer, Progress
from anekdot.config import (
    MAX_STEPS,
    PreparationConfig,
    build,
    check_known,
    field_names,
    fill_up,
    resolve,
)
from anekdot.corpus.manifest import MANIFEST, Manifest, hash_files, is_prepared, place_of
from anekdot.corpus.reading import Source
from anekdot.corpus.reading.remote import kept_name
from anekdot.corpus.shards import Shard
from anekdot.corpus.splitting import SPLITS
from anekdot.corpus.texts import clean_texts
from anekdot.errors import BundleError, ConfigurationError, CorpusError, require
from anekdot.model.config import ModelConfig
from anekdot.run_folder import (
    card,
    claim,
    held,
    prepared_folder,
    refuse_difference,
)
from anekdot.signals import at_once, interruption
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.training.config import TrainingConfig
from anekdot.training.monitoring.diagnosis import diagnose
from anekdot.training.monitoring.metrics import read
from anekdot.training.monitoring.trackers import check_trackers, trackers

if TYPE_CHECKING:
    from anekdot.evaluation.likelihood import Likelihood


def prepare(
    *sources: Source,
    out: Path | str,
    tokenizer: Tokenizer | None = None,
    memory: int | None = None,
    ray: str | None = None,
    progress: Progress | None = None,
    notice: Notice | None = None,
    **fields: Any,
) -> Manifest:
    """Reads, cleans, splits, deduplicates and encodes texts: files in, a prepared folder out.

    A preparation that was stopped goes on where it was when it is called again.

    Args:
        sources: Files, folders, patterns, or "-" for standard input.
        out: The folder to make, with tokenizer.json, shards, documents.parquet, report.html
            and manifest.json.
        tokenizer: One that exists already; learned from the training split unless given.
        memory: Bytes that all processes together should stay within; half of what the
            machine has unless given. It changes nothing in the result.
        ray: The address of a Ray cluster that reads the texts, or "local".
        progress: Called with (done, total, unit) through every stage.
        notice: Told what was guessed about a file.
        fields: Any field of PreparationConfig.

    Raises:
        ConfigurationError: A field cannot be, or the folder exists and is not empty.
        CorpusError: The texts cannot be used.
    """
    require("anekdot prepare", "train", "duckdb", "numba")
    from anekdot.corpus.preparation import collect, publish, workplace  # noqa: PLC0415 (slow)
    from anekdot.corpus.report import write_report  # noqa: PLC0415
    from anekdot.corpus.tokenization import learn_tokenizer, write_shards  # noqa: PLC0415

    check_known(fields, field_names(PreparationConfig), "The call")
    config, out = PreparationConfig(**fields), Path(out)
    with at_once(), workplace(out) as work:
        collection = collect(
            sources,
            work,
            rules=config.rules,
            separator=config.separator,
            column=config.column,
            memory=memory,
            ray=ray,
            progress=progress,
            notice=notice,
        )
        if not collection.count("train"):
            left_out = sum(collection.dropped().values())
            raise CorpusError(
                f"Of {collection.count()} texts ({left_out} more were dropped) none fell to the "
                "training split.",
                "Give more texts, or --validation 0 --test 0 to train on all.",
            )
        result = work / "result"
        with staged(result) as draft:
            draft.mkdir()
            if tokenizer is None:
                tokenizer = learn_tokenizer(
                    collection, config.vocab_size, work / TOKENIZER, progress
                )
            tokenizer.save(draft / TOKENIZER)
            tokens = write_shards(collection, tokenizer, draft, progress)
            collection.write_index(draft / "documents.parquet")
            report = write_report(collection, tokenizer, tokens, draft)
            manifest = Manifest(
                sources=[*map(kept_name, sources)],
                settings=dataclasses.asdict(config),
                texts_in=report.texts_in,
                dropped=report.dropped,
                documents=report.documents,
                tokens=tokens,
                vocab_size=tokenizer.vocab_size,
                files=hash_files(draft),
            )
            manifest.save(draft)
        publish(result, out)
    return manifest


@dataclass(frozen=True)
class Trained:
    """What a training run made.

    Attributes:
        bundle: The folder of the model.
        validation: Of the best model on the whole validation split; None without one.
        curves: The picture of the run.
        limit: One sentence on what would make it better.
    """

    bundle: Path
    validation: "Likelihood | None"
    curves: Path
    limit: str


def train(
    *sources: Source,
    out: Path | str,
    preset: str | None = None,
    recipe: str | None = None,
    config: Path | str | None = None,
    initial: Path | str | None = None,
    track: Sequence[str] = (),
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
        initial: A bundle that the run goes on from, with its tokenizer and shape, on other
            texts; "pretrained" names the one that comes with the package.
        track: Programs that are told the numbers too: "tensorboard", "trackio", "wandb".
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
        from anekdot.training.monitoring.curves import draw_curves  # noqa: PLC0415 (torch is optional)
        from anekdot.training.trainer import Trainer  # noqa: PLC0415
    interrupted.raise_if_stopped()
    check_trackers(track)
    beginning = None if initial is None else _beginning(initial)
    settled, asked = resolve(
        recipe, preset, config, fields, beginning=None if beginning is None else beginning.config
    )
    _check_early(settled, asked)
    out = Path(out)
    with held(out), ExitStack() as stack:
        given = None if beginning is None else beginning.tokenizer
        data = _prepared(sources, out, settled, asked, given, progress=progress, notice=notice)
        tokenizer = Tokenizer.load(data / TOKENIZER)
        sides = {side: Shard.open(data, side) for side in SPLITS}
        wanted = Manifest.load(data).settings["vocab_size"]
        if given is None and tokenizer.vocab_size < wanted and notice is not None:
            notice(
                f"The vocabulary has {tokenizer.vocab_size:,} tokens, not {wanted:,}: "
                "the texts give no more."
            )
        learned = sides["train"]
        settled = fill_up(settled, asked, documents=len(learned), tokens=len(learned.ids))
        observers = [observe] if observe else []
        run = Trainer(
            folder=out,
            model_config=build(ModelConfig, {**settled, "vocab_size": tokenizer.vocab_size}),
            config=build(TrainingConfig, settled),
            tokenizer=tokenizer,
            train_shard=learned,
            validation_shard=sides["validation"],
            initial=beginning,
            place_of=partial(place_of, data),
            observe=lambda record: _tell(record, *observers),
            notice=notice or (lambda sentence: None),
        )
        claim(out, run.model_config, run.config, data, beginning)
        observers.append(stack.enter_context(trackers(track, out, settled, run.notice)))
        validation = run.train()
        curves = draw_curves([out], out / "run" / "curves.png")
        with staged(out / CARD) as draft:
            draft.write_text(card(out.resolve().name, run.model_config, validation), "utf-8")
        with staged(out / "run" / "finished.json") as draft:
            draft.write_text(json.dumps(dataclasses.asdict(run.progress)) + "\n", "utf-8")
    bits = None if validation is None else validation.bits_per_byte
    return Trained(out, validation, curves, diagnose(read(run.metrics), bits))


def _tell(record: dict[str, Any], *observers: Observer) -> None:
    for observe in observers:
        observe(record)


def _beginning(initial: Path | str) -> Bundle:
    """Loads the bundle that a run goes on from."""
    return Bundle.load(None if str(initial) == "pretrained" else initial)


def _limit_spinning() -> None:
    """Keeps PyTorch's threads from waiting busily for one that another program displaced.

    libgomp reads the variable once, when torch loads it; see docs/log.md for the figures.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def _check_early(settled: dict[str, Any], asked: dict[str, Any]) -> None:
    """Raises a ConfigurationError for what cannot work, before any text is read."""
    build(ModelConfig, settled)
    build(PreparationConfig, settled)
    longest = {"steps": MAX_STEPS, **settled}
    build(TrainingConfig, fill_up(longest, asked, documents=0, tokens=0))


def evaluate(
    bundle: Path | str, texts: Path | str | None = None, progress: Progress | None = None
) -> "Likelihood":
    """Measures a model in float32 on the documents of a file, or on its test split.

    Args:
        bundle: The model's folder.
        texts: A file or folder of documents; without it, the test split of the prepared
            folder that the bundle was trained on.
        progress: Called with (done, total, "windows").

    Raises:
        AnekdotError: The bundle or the texts cannot be used, or no test split is known.
    """
    require("anekdot evaluate", "train", "torch")
    _limit_spinning()
    from anekdot.corpus.tokenization import encode_documents  # noqa: PLC0415 (slow)
    from anekdot.evaluation.likelihood import likelihood  # noqa: PLC0415 (torch is optional)
    from anekdot.model.transformer import Transformer  # noqa: PLC0415
    from anekdot.model.weights import load_weights  # noqa: PLC0415
    from anekdot.training.compilation import pick_device  # noqa: PLC0415

    bundle = Path(bundle)
    loaded = Bundle.load(bundle)
    if texts is None:
        documents = _test_side(bundle, loaded.tokenizer)
    else:
        found = [*clean_texts(texts)]
        if not found:
            raise CorpusError(f"{texts} has no texts.", "Name a file with at least one.")
        ids, offsets = encode_documents(loaded.tokenizer, found)
        documents = np.split(ids, offsets[1:-1])
    model = Transformer(loaded.config)
    load_weights(model, loaded.weights)
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
        raise BundleError(f"The test split of {data} is empty.", "Name texts with --texts FILE.")
    return side.documents()


def _prepared(
    sources: Sequence[Source],
    out: Path,
    settled: dict[str, Any],
    asked: dict[str, Any],
    tokenizer: Tokenizer | None,
    **callbacks: Any,
) -> Path:
    """Returns the prepared folder: the one given, the run's own, or a new one in the run."""
    data = _prepared_before(sources, out, settled, asked)
    if data is None:
        data = out / "run" / "data"
        wanted = dataclasses.asdict(build(PreparationConfig, settled))
        prepare(*sources, out=data, tokenizer=tokenizer, **callbacks, **wanted)
    elif tokenizer is not None and Tokenizer.load(data / TOKENIZER) != tokenizer:
        raise ConfigurationError(
            f"{data} was prepared with another tokenizer than that of the bundle to begin with.",
            "Give the texts themselves, and another folder with --out.",
        )
    return data


def _prepared_before(
    sources: Sequence[Source], out: Path, settled: dict[str, Any], asked: dict[str, Any]
) -> Path | None:
    """Returns the prepared folder that is given, or that the run has made before."""
    if len(sources) == 1 and is_prepared(Path(sources[0])):
        data = Path(sources[0])
        before = Manifest.load(data).settings
        wanted = {name: asked.get(name, value) for name, value in before.items()}
        refuse_difference(data, before, wanted)
        return data
    data = out / "run" / "data"
    if not (data / MANIFEST).exists():
        return None
    wanted = dataclasses.asdict(build(PreparationConfig, settled))
    manifest = Manifest.load(data)
    named = [*map(kept_name, sources)]
    refuse_difference(
        out, {**manifest.settings, "sources": manifest.sources}, {**wanted, "sources": named}
    )
    return data
