"""What anekdot depends on, from installed metadata: python tools/dependencies.py WHAT.

``licences`` writes the table of docs/dependencies.md; ``sbom FILE`` writes a software bill of
materials, in the JSON of CycloneDX 1.6, of what the package needs with its extras ``train``,
``documents``, ``export`` and ``cluster``. Both are the same for the same packages, whenever and
wherever they are made.
"""

import json
import os
import re
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/dependencies.md"
MARKERS = "<!-- licences: written by tools/dependencies.py -->\n", "<!-- end of licences -->\n"
EXTRAS = ("fast", "train", "documents", "export", "cluster", "dev")
GROUPS = {"core": "", **dict(zip(EXTRAS, EXTRAS, strict=True))}
SHORT = 60  # characters of a licence's name; what is longer is its text


def needed(name: str, extras: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yields the names of what a package needs, directly or not, as far as it is installed."""
    seen, waiting = set(), [(name, extras)]
    while waiting:
        step = waiting.pop()
        if step in seen:
            continue
        seen.add(step)
        try:
            requirements = metadata.requires(step[0]) or []
        except metadata.PackageNotFoundError:
            continue
        if step[0] != name:
            yield step[0]
        for requirement in map(Requirement, requirements):
            marker = requirement.marker
            if not marker or any(marker.evaluate({"extra": extra}) for extra in (*step[1], "")):
                wanted = canonicalize_name(requirement.name), frozenset(requirement.extras)
                waiting.append(wanted)


def groups() -> dict[str, str]:
    """Returns the first extra of ours that brings each package, by its name."""
    first: dict[str, str] = {}
    for group, extra in GROUPS.items():
        for name in sorted(set(needed("anekdot", frozenset([extra] if extra else [])))):
            if name != "anekdot":
                first.setdefault(name, group)
    return first


def licence(name: str) -> str:
    """Returns the licence that a package declares."""
    declared = metadata.metadata(name)
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in declared.get_all("Classifier") or []
        if line.startswith("License :: ") and line.count(" :: ") > 1
    ]
    named = declared.get("License-Expression") or ""
    stated = (declared.get("License") or "").strip()
    first_line = re.split(r"\s{2,}|\n", stated)[0]
    return named or ", ".join(classifiers) or first_line[:SHORT] or "not declared"


def version(name: str) -> str:
    """Returns a package's version, without the part that names a build, such as +cpu."""
    return metadata.version(name).partition("+")[0]


def table() -> str:
    """Returns the licences of what constraints.txt pins as a table."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").split()
    pinned = {canonicalize_name(line.partition("==")[0]) for line in lines}
    rows = [
        f"| {metadata.metadata(name)['Name']} | {version(name)} | {group} | {licence(name)} |\n"
        for name, group in sorted(groups().items())
        if name in pinned
    ]
    head = "| package | version | first needed by | licence |\n|---|---|---|---|\n"
    return head + "".join(rows)


def page(text: str) -> str:
    """Returns docs/dependencies.md with the table of today between its markers."""
    before, rest = text.split(MARKERS[0])
    return before + MARKERS[0] + table() + MARKERS[1] + rest.split(MARKERS[1])[1]


def hashes() -> dict[str, str]:
    """Returns the SHA-256 that make audit has locked for each package, as far as it has."""
    lock = ROOT / "build/audit/requirements.lock"
    lines = lock.read_text("utf-8").splitlines() if lock.is_file() else []
    found = (re.fullmatch(r"(\S+)==\S+ --hash=sha256:(\w+)", line) for line in lines)
    return {canonicalize_name(match[1]): match[2] for match in found if match}


def sbom() -> dict[str, object]:
    """Returns the bill of materials.

    Source: CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/.
    """
    own, known = metadata.version("anekdot"), hashes()
    names = sorted(name for name, group in groups().items() if group != "dev")
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    components = [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}@{version(name)}",
            "name": name,
            "version": version(name),
            "purl": f"pkg:pypi/{name}@{version(name)}",
            "licenses": [{"license": {"name": licence(name)}}],
            **({"hashes": [{"alg": "SHA-256", "content": known[name]}]} if name in known else {}),
        }
        for name in names
    ]
    content = json.dumps(components)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, own + content)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "library", "bom-ref": f"pkg:pypi/anekdot@{own}", "name": "anekdot",
                "version": own, "purl": f"pkg:pypi/anekdot@{own}",
                "licenses": [{"license": {"id": "MIT"}}],
            },
        },
        "components": components,
        "dependencies": [
            {
                "ref": f"pkg:pypi/anekdot@{own}",
                "dependsOn": [f"pkg:pypi/{name}@{version(name)}" for name in names],
            }
        ],
    }  # fmt: skip


def main() -> None:
    """Writes what was asked for."""
    match sys.argv[1:]:
        case ["licences"]:
            PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
        case ["sbom", path]:
            Path(path).write_text(json.dumps(sbom(), indent=2) + "\n", "utf-8")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
