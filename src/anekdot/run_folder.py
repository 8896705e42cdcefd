"""The run folder: a bundle at the top, and below ``run/`` all that training keeps.

::

    my-model/            the bundle: always the best model so far
      run/
        config.json      the settings, and what they were applied to
        data/            the prepared texts, unless a prepared folder was given
        checkpoints/     step-N: all that the run needs to go on
        metrics.jsonl    a record for every ten steps, evaluation and sample
        samples.md       the samples, for people
        curves.png       drawn at the end
        finished.json    the last training state: the run is over
        lock             held by the process that trains

This is the one place that spells these names. Nothing here imports torch.
"""

import dataclasses
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from anekdot.atomic_files import LOCK, exclusive, holds_files, is_taken, sha256, write_json
from anekdot.callbacks import Notice
from anekdot.errors import BundleError, ConfigurationError, refuse_difference
from anekdot.model.config import PARTS, UNNAMED_PARTS, ModelConfig
from anekdot.weights_file import WEIGHTS

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Training = TypeVar("Training", bound="DataclassInstance")

MANIFEST = "manifest.json"
"""The file that makes a folder a prepared one, see ``corpus/manifest.py``."""


@dataclass(frozen=True)
class RunFolder:
    """A training run on disk.

    Attributes:
        bundle: The folder of the bundle, which holds everything else.
    """

    bundle: Path

    @property
    def run(self) -> Path:
        """All that is not the bundle itself."""
        return self.bundle / "run"

    @property
    def weights(self) -> Path:
        """The weights of the bundle."""
        return self.bundle / WEIGHTS

    @property
    def config(self) -> Path:
        """The settings of the run."""
        return self.run / "config.json"

    @property
    def data(self) -> Path:
        """The prepared folder, unless one was given."""
        return self.run / "data"

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.run / "checkpoints"

    @property
    def metrics(self) -> Path:
        """The records of the run, one JSON object per line."""
        return self.run / "metrics.jsonl"

    @property
    def samples(self) -> Path:
        """The samples, for people."""
        return self.run / "samples.md"

    @property
    def curves(self) -> Path:
        """The picture of the run."""
        return self.run / "curves.png"

    @property
    def finished(self) -> Path:
        """There once the run is over."""
        return self.run / "finished.json"

    @property
    def tensorboard(self) -> Path:
        """What TensorBoard reads."""
        return self.run / "tensorboard"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes out while the block runs; an empty folder is removed after.

        Raises:
            ConfigurationError: The folder holds something else or only a model, or another
                process trains in it.
        """
        if is_taken(self.bundle) and not self._is_ours():
            if self.weights.exists():
                raise no_checkpoint(self.bundle)
            raise ConfigurationError(
                f"{self.bundle} holds something else than a training run.",
                "Name another folder with --out.",
            )
        with exclusive(
            self.run, activity="training in", is_disposable=lambda: os.listdir(self.run) == [LOCK]
        ):
            yield

    def _is_ours(self) -> bool:
        """Whether a folder is a run, or was to become one when the process was killed."""
        if not self.run.is_dir():
            return False
        started = (self.config, self.data / MANIFEST, self.data / "work" / LOCK)
        if any(path.is_file() for path in started) or self._has_checkpoints():
            return True
        return os.listdir(self.bundle) == [self.run.name] and all(
            item.name == LOCK or item.name.endswith(".staged") or not holds_files(item)
            for item in self.run.iterdir()
        )

    def register(
        self,
        model: ModelConfig,
        training: "DataclassInstance",
        data: Path,
        base_fingerprint: str | None,
        notice: Notice = lambda sentence: None,
    ) -> None:
        """Records the settings of a new run, or checks that they are those of the run here.

        Args:
            model: The shape of the model.
            training: The training configuration.
            data: The prepared folder.
            base_fingerprint: Of the bundle whose weights the run starts from, if any.
            notice: Receives a sentence where the record of the run was lost.

        Raises:
            ConfigurationError: The run is finished or has other settings, or only its model is
                left.
            BundleError: The record of the run is damaged.
        """
        settings: dict[str, Any] = {
            "model": dataclasses.asdict(model),
            "parts": PARTS,
            "training": dataclasses.asdict(training),
            "data": self._relative(data),
            "manifest": sha256(data / MANIFEST),
            "from": base_fingerprint,
        }
        if not self._prolongs(settings, training, notice) and self.finished.exists():
            remedy = "Name another folder with --out to train again from the start."
            if settings["training"].get("schedule") == "wsd":
                remedy = "Ask for more --steps to prolong it, or name another folder with --out."
            raise ConfigurationError(f"The run in {self.bundle} is finished.", remedy)
        self.finished.unlink(missing_ok=True)
        write_json(self.config, settings, indent=2)

    def _prolongs(
        self, settings: dict[str, Any], training: "DataclassInstance", notice: Notice
    ) -> bool:
        """Checks settings against those of the run here; returns whether they make it longer."""
        if not self.config.exists():
            if self._has_checkpoints():
                before, now = self._settings_of_bundle(), _comparable(settings)
                refuse_difference(self.bundle, before, {name: now.get(name) for name in before})
                notice(
                    f"{self.config} is gone: the run goes on with the settings given now"
                    + (", which are those of its model." if before else ".")
                )
            elif self.weights.exists():
                raise no_checkpoint(self.bundle)
            return False
        before = self._settings()
        before["training"] = {**_defaults(training), **before["training"]}
        is_longer = _is_longer(settings["training"], than=before["training"])
        if is_longer:
            before["training"]["steps"] = settings["training"]["steps"]
        refuse_difference(self.bundle, _comparable(before), _comparable(settings))
        return is_longer

    def keep_rules(self, training: Training) -> Training:
        """Returns a training configuration with the rules that the run here began with, if any.

        Args:
            training: Its fields with a value ``before`` are rules, see training/config.py.

        Raises:
            ConfigurationError: The run has a rule that is not known here.
            BundleError: The record of the run is damaged.
        """
        if self.config.exists():
            recorded = self._settings()["training"]
        elif self._has_checkpoints():
            recorded = self._settings_of_bundle()
        else:
            return training
        rules = _rules(training)
        kept: dict[str, Any] = {name: recorded.get(name, rules[name]) for name in rules}
        return dataclasses.replace(training, **kept)

    def prepared_folder(self) -> Path:
        """Returns the prepared folder that the bundle was trained on.

        Raises:
            BundleError: There is no record of a run, or the prepared folder is gone.
        """
        remedy = "Name some with --texts FILE."
        if not self.config.is_file():
            raise BundleError(f"{self.bundle} does not say which texts it was trained on.", remedy)
        data = self.bundle.resolve() / str(self._settings()["data"])
        if not (data / MANIFEST).is_file():
            raise BundleError(
                f"The texts that {self.bundle} was trained on are gone from {data}.", remedy
            )
        return data

    def _settings(self) -> dict[str, Any]:
        """Returns run/config.json, checked as far as it is used."""
        try:
            record = {"parts": UNNAMED_PARTS, **json.loads(self.config.read_text("utf-8"))}
            kinds = {"model": dict, "parts": dict, "training": dict, "data": str, "manifest": str}
            if not all(isinstance(record[name], kind) for name, kind in kinds.items()):
                raise ValueError("a field has the wrong type")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BundleError(
                f"{self.config} is damaged ({error}).",
                "Restore it, or remove it to go on with the settings that you give.",
            ) from None
        return record

    def _settings_of_bundle(self) -> dict[str, Any]:
        """Returns what the bundle says of the run's settings; nothing if it cannot be read."""
        try:
            record = json.loads((self.bundle / "config.json").read_text("utf-8"))
            return {**record["model"], **record["parts"], **record["training"]}
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return {}

    def _has_checkpoints(self) -> bool:
        return self.checkpoints.is_dir() and holds_files(self.checkpoints)

    def _relative(self, data: Path) -> str:
        """Returns the path from the bundle to its data, so that both may be moved together."""
        try:
            return os.path.relpath(data.resolve(), self.bundle.resolve())
        except ValueError:  # Windows: no relative path leads from one drive to another
            return str(data.resolve())


def _rules(training: "DataclassInstance") -> dict[str, object]:
    """Returns the rules of runs that do not name them."""
    fields = dataclasses.fields(training)
    return {f.name: f.metadata["before"] for f in fields if "before" in f.metadata}


def _defaults(training: "DataclassInstance") -> dict[str, object]:
    """Returns what runs have that do not name a setting, since it came later."""
    fields = [f for f in dataclasses.fields(training) if f.default is not dataclasses.MISSING]
    return {f.name: f.metadata.get("before", f.default) for f in fields}


def _is_longer(training: dict[str, Any], *, than: dict[str, Any]) -> bool:
    """Whether settings prolong a run, which the schedule "wsd" allows."""
    is_wsd = training.get("schedule") == than.get("schedule") == "wsd"
    return is_wsd and training["steps"] > than["steps"]


def _comparable(settings: dict[str, Any]) -> dict[str, Any]:
    """Returns what must stay the same when a run goes on; where the data lies may change."""
    return {
        **settings["model"],
        **settings["parts"],
        **settings["training"],
        "texts": settings["manifest"],
        "from": settings.get("from"),
    }


def no_checkpoint(bundle: Path) -> ConfigurationError:
    """Returns the error of a run without its checkpoints: beginning anew would lose the rest."""
    return ConfigurationError(
        f"{bundle} holds a trained model or the records of a run, but no checkpoint to go on from.",
        f"Name another folder with --out; add --from {bundle} to start from this model.",
    )
