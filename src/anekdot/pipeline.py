"""The stages in order: prepare, train, evaluate. Nothing else composes them."""

import dataclasses
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anekdot.atomic_files import write_json
from anekdot.bundle import Bundle
from anekdot.callbacks import Notice, Observer, Progress
from anekdot.config import ResolvedConfig, check_known, field_names, resolve
from anekdot.corpus.collection import source_of
from anekdot.corpus.config import PreparationConfig
from anekdot.corpus.manifest import Manifest, check_settings, is_prepared
from anekdot.corpus.provenance import check_sources
from anekdot.corpus.reading import Source
from anekdot.corpus.reading.given import as_source
from anekdot.corpus.reading.remote import MAX_DOWNLOAD
from anekdot.corpus.shards import Shard
from anekdot.corpus.splitting import SPLITS
from anekdot.corpus.summary import tell
from anekdot.errors import require
from anekdot.machine import limit_spinning
from anekdot.model_card import write_card
from anekdot.run_folder import MANIFEST, RunFolder
from anekdot.signals import deferred_signals, immediate_signals
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.training.monitoring.diagnosis import diagnose
from anekdot.training.monitoring.metrics import read
from anekdot.training.monitoring.trackers import check_trackers, trackers

if TYPE_CHECKING:
    from anekdot.evaluation.likelihood import Likelihood


def prepare(
    *sources: Source | Iterable[str],
    out: Path | str,
    tokenizer: Tokenizer | None = None,
    memory: int | None = None,
    ray: str | None = None,
    max_download: int = MAX_DOWNLOAD,
    progress: Progress | None = None,
    notice: Notice | None = None,
    **fields: Any,
) -> Manifest:
    """Reads, cleans, splits, deduplicates and encodes texts: files in, a prepared folder out.

    A preparation that was stopped goes on where it was when it is called again.

    Args:
        sources: Files, folders, patterns, "-" for standard input, or lists of texts.
        out: The folder to make: tokenizer, shards, documents.parquet, report.html and manifest.
        tokenizer: One that exists already; trained on the training split unless given.
        memory: Bytes that all processes together should stay within, half of the machine's
            unless given; the result does not depend on it.
        ray: The address of a Ray cluster that reads the texts, or "local".
        max_download: Bytes of the largest file that is downloaded.
        progress: Called with (done, total, unit) through every stage.
        notice: Receives what was guessed about a file, and what came of all.
        fields: Any field of PreparationConfig.

    Raises:
        ConfigurationError: A field cannot be, or the folder exists and is not empty.
        CorpusError: The texts cannot be used.
    """
    require("anekdot prepare", "train", "duckdb", "numba")
    from anekdot.corpus.preparation import collect, work_folder, write_result  # noqa: PLC0415

    check_known(fields, field_names(PreparationConfig), "The call")
    config = PreparationConfig(**fields)
    named = [*map(as_source, sources)]
    with immediate_signals(), work_folder(Path(out)) as work:
        collection = collect(
            named,
            work,
            config,
            memory=memory,
            ray=ray,
            max_download=max_download,
            progress=progress,
            notice=notice,
        )
        manifest = write_result(
            collection, Path(out), config, named, tokenizer=tokenizer, progress=progress
        )
    tell(manifest, Path(out), notice)
    return manifest


@dataclass(frozen=True)
class Trained:
    """What a training run made.

    Attributes:
        bundle: The folder of the model.
        validation: Of the best model on the whole validation split; None without one.
        curves: The picture of the run.
        diagnosis: One sentence on what would make it better.
    """

    bundle: Path
    validation: "Likelihood | None"
    curves: Path
    diagnosis: str


def train(
    *sources: Source | Iterable[str],
    out: Path | str,
    preset: str | None = None,
    recipe: str | None = None,
    config: Path | str | None = None,
    base: Path | str | None = None,
    track: Sequence[str] = (),
    max_download: int = MAX_DOWNLOAD,
    observe: Observer | None = None,
    progress: Progress | None = None,
    notice: Notice | None = None,
    **fields: Any,
) -> Trained:
    """Trains a model on texts or on a prepared folder, or goes on with an unfinished run.

    Args:
        sources: Files, folders, "-", lists of texts, or one folder that ``prepare`` made.
        out: The bundle's folder; a run in it that was stopped is continued.
        preset: The model's shape: "nano" (unless the file says otherwise), "mini" or "small".
        recipe: "default"; "mission" for the settings of the original assignment; or, with a
            base, "finetune", which is then the default.
        config: A TOML file with any fields.
        base: A bundle whose weights, tokenizer and shape the run starts from; "pretrained"
            names the one that comes with the package.
        track: Programs that receive the numbers too: "tensorboard", "trackio", "wandb".
        max_download: Bytes of the largest file of texts that is downloaded.
        observe: Called with every record of metrics.jsonl.
        progress: Called with (done, total, unit) while the texts are prepared.
        notice: Receives what was guessed about a file.
        fields: Any field of ModelConfig, TrainingConfig or PreparationConfig.

    Raises:
        AnekdotError: The texts, the settings or the folder cannot be used.
    """
    require("anekdot train", "train", "torch", "matplotlib")
    limit_spinning()
    with deferred_signals() as signals:  # an import may swallow a KeyboardInterrupt
        from anekdot.corpus.tokenization import load_tokenizer  # noqa: PLC0415 (slow)
        from anekdot.training.monitoring.curves import draw_curves  # noqa: PLC0415 (optional)
        from anekdot.training.setup import load_base  # noqa: PLC0415
        from anekdot.training.trainer import Trainer  # noqa: PLC0415
        from anekdot.training.validation import compare_engines  # noqa: PLC0415
    signals.raise_if_stopped()
    check_trackers(track)
    start = None if base is None else load_base(base)
    resolved = resolve(recipe, preset, config, fields, base=None if start is None else start.config)
    run, notice = RunFolder(Path(out)), notice or (lambda sentence: None)
    with run.locked(), ExitStack() as stack:
        calls = {"progress": progress, "notice": notice, "max_download": max_download}
        data = _prepared_folder([*map(as_source, sources)], run, resolved, start, **calls)
        tokenizer = load_tokenizer(data, None if start is None else start.tokenizer, notice)
        shards = {split: Shard.open(data, split) for split in SPLITS}
        resolved = resolved.with_corpus_defaults(
            documents=len(shards["train"]),
            tokens=len(shards["train"].ids),
            vocab_size=tokenizer.vocab_size,
        )
        resolved = dataclasses.replace(resolved, training=run.keep_rules(resolved.training))
        trainer = Trainer(
            run,
            resolved.model,
            resolved.training,
            tokenizer=tokenizer,
            train_shard=shards["train"],
            validation_shard=shards["validation"],
            base=start,
            source_of=partial(source_of, data),
            observers=[observe] if observe else [],
            notice=notice,
        )
        fingerprint = None if start is None else start.fingerprint()
        run.register(resolved.model, resolved.training, data, fingerprint, notice)
        pass_on = stack.enter_context(trackers(track, run, resolved.flat(), notice))
        trainer.observers = [*trainer.observers, pass_on]
        validation = trainer.train()
        if sentence := compare_engines(trainer.generator, run.bundle, shards["train"]):
            notice(sentence)
        draw_curves([run.bundle], run.curves)
        write_card(run.bundle, resolved.model, validation)
        write_json(run.finished, trainer.state.to_json())
    bits = None if validation is None else validation.bits_per_byte
    return Trained(run.bundle, validation, run.curves, diagnose(read(run.metrics), bits))


def evaluate(
    bundle: Path | str,
    texts: Source | Iterable[str] | None = None,
    progress: Progress | None = None,
    **reading: Any,
) -> "Likelihood":
    """Measures a model in float32 on the documents of a file, or on its test split.

    Args:
        bundle: The model's folder.
        texts: A file or folder of documents, or a list of texts; without it, the test split
            of the prepared folder that the bundle was trained on.
        progress: Called with (done, total, "windows").
        reading: How texts are read: separator, column, encoding, notice; see ``clean_texts``.

    Raises:
        AnekdotError: The bundle or the texts cannot be used, or no test split is known.
    """
    require("anekdot evaluate", "train", "torch")
    limit_spinning()
    from anekdot.device import pick_device  # noqa: PLC0415 (torch is optional)
    from anekdot.evaluation.held_out import held_out_documents  # noqa: PLC0415 (slow)
    from anekdot.evaluation.likelihood import likelihood  # noqa: PLC0415
    from anekdot.generation.torch_engine import load_transformer  # noqa: PLC0415

    bundle = Path(bundle)
    loaded = Bundle.load(bundle)
    documents = held_out_documents(bundle, loaded.tokenizer, texts, **reading)
    model = load_transformer(loaded)
    return likelihood(
        model.to(pick_device()), documents, loaded.tokenizer.token_lengths, progress=progress
    ).finite()


def _prepared_folder(
    sources: Sequence[Source],
    run: RunFolder,
    resolved: ResolvedConfig,
    base: Bundle | None,
    **calls: Any,
) -> Path:
    """Returns the prepared folder: the one given, the run's own, or a new one in the run."""
    if len(sources) == 1 and is_prepared(data := Path(str(sources[0]))):
        manifest = check_settings(data, resolved.preparation, only=resolved.explicit)
        tell(manifest, data, calls["notice"], is_known=run.config.exists())
        return data
    if (run.data / MANIFEST).exists():
        manifest = check_settings(run.data, resolved.preparation, shown_as=run.bundle)
        check_sources(run.data, sources, shown_as=run.bundle, notice=calls["notice"])
        tell(manifest, run.data, calls["notice"], is_known=True)
        return run.data
    wanted = dataclasses.asdict(resolved.preparation)
    tokenizer = None if base is None else base.tokenizer
    prepare(*sources, out=run.data, tokenizer=tokenizer, **calls, **wanted)
    return run.data
