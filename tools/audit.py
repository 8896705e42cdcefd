"""Locks the packages of this platform by their hashes, and checks them: make audit.

Writes build/audit/requirements.lock: a name, a version and the hashes of the file that pip
takes here, for each package of ``.[dev,cluster,export]``. The lock is not committed, since the
wheels of PyTorch differ by platform and index. Then every file is fetched again and must have its
hash, what is installed must be what is locked, and pip-audit, where its data can be had, names
known vulnerabilities. The exit status is 1 if any of this fails.
"""

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

FOLDER = Path("build/audit")
LOCK = FOLDER / "requirements.lock"


def locked() -> dict[str, dict[str, str]]:
    """Returns name, version and SHA-256 of each package that pip would install here.

    Raises:
        SystemExit: pip cannot resolve them, or gives a package no hash.
    """
    report = FOLDER / "report.json"
    pip(
        "install",
        "--dry-run",
        "--ignore-installed",
        "--report",
        report,
        "--editable",
        ".[dev,cluster,export]",
    )
    packages = {}
    for item in json.loads(report.read_text("utf-8"))["install"]:
        if "archive_info" in item["download_info"]:  # ours is a folder
            name, version = item["metadata"]["name"], item["metadata"]["version"]
            hashes = item["download_info"]["archive_info"].get("hashes", {})
            packages[name] = {"version": version, "sha256": hashes.get("sha256", "")}
    report.unlink()  # it names the index
    if nameless := [name for name, package in packages.items() if not package["sha256"]]:
        sys.exit(f"The index gives no hash for {', '.join(nameless)}.")
    return packages


def pip(*words: object) -> None:
    """Runs pip; where it fails, so does the audit."""
    command = [sys.executable, "-m", "pip", "--quiet", *map(str, words)]
    if subprocess.run(command, check=False).returncode:
        sys.exit(f"pip {words[0]} failed: see above.")


def differences(packages: dict[str, dict[str, str]]) -> list[str]:
    """Returns what is installed in other versions than the locked ones."""
    found = []
    for name, package in packages.items():
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            version = "nothing"
        if version != package["version"]:
            found.append(f"{name} {package['version']} is locked, {version} is installed")
    return found


def vulnerabilities() -> list[str]:
    """Returns what pip-audit knows against the locked packages, and says what it could not see."""
    tool = FOLDER / ("Scripts" if os.name == "nt" else "bin") / "pip-audit"
    command = [tool, "--requirement", LOCK, "--no-deps", "--disable-pip", "--format", "json"]
    try:
        said = subprocess.run(command, capture_output=True, check=False, timeout=600).stdout
        audited = json.loads(said)["dependencies"]
    except (OSError, ValueError, KeyError, subprocess.TimeoutExpired):
        print("Known vulnerabilities were not looked up: pip-audit or its data cannot be had here.")
        return []
    unknown = [item["name"] for item in audited if "skip_reason" in item]
    if unknown or not audited:
        print(f"Known vulnerabilities: no data here on {len(unknown)} of {len(audited)} packages.")
    return [
        f"{item['name']} {item['version']} has {fault['id']}"
        for item in audited
        for fault in item.get("vulns", [])
    ]


def main() -> None:
    """Makes the lock, and checks it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    packages = locked()
    lines = (
        f"{name}=={package['version']} --hash=sha256:{package['sha256']}\n"
        for name, package in sorted(packages.items(), key=lambda item: item[0].lower())
    )
    LOCK.write_text("".join(lines), "utf-8")
    print(f"{LOCK}: {len(packages)} packages with hashes")
    pip(
        "download", "--require-hashes", "--no-deps", "--dest", FOLDER / "files",
        "--requirement", LOCK,
    )  # fmt: skip
    print(f"{FOLDER / 'files'}: every file has its hash")
    faults = [*differences(packages), *vulnerabilities()]
    print("\n".join(faults) or "Everything installed is what is locked.")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
