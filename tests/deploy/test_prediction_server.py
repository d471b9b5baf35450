"""The server's image holds what uv.lock says, and nothing that is not checked."""

from __future__ import annotations

import re
import tomllib

from deploy.requirements import ROOT

FOLDER = ROOT / "deploy" / "prediction-server"
REQUIREMENTS = (FOLDER / "requirements.txt").read_text()
PINNED = dict(re.findall(r"^([a-z0-9._-]+)==([^ ;]+)", REQUIREMENTS, re.MULTILINE))
LOCKED = {
    package["name"]: package for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]
}
AGAIN = "write it again with the command in its second line"


def test_every_package_has_the_locked_version_and_hashes() -> None:
    for block in re.split(r"^(?=[a-z0-9])", REQUIREMENTS, flags=re.MULTILINE)[1:]:
        name = re.match(r"[a-z0-9._-]+", block)
        assert name is not None
        package = LOCKED[name[0]]
        files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
        assert PINNED[name[0]] == package["version"], AGAIN
        hashes = set(re.findall(r"sha256:[0-9a-f]{64}", block))
        assert hashes, f"{name[0]} is not checked"
        assert hashes <= {file["hash"] for file in files}, AGAIN


def test_what_a_package_needs_is_there_too() -> None:
    (project,) = (package for package in LOCKED.values() if package["name"] == "nightstream")
    needed = [need["name"] for need in project["dev-dependencies"]["server"]]
    for name in PINNED:
        needs = LOCKED[name].get("dependencies", [])
        needed += [need["name"] for need in needs if "marker" not in need]
    assert set(needed) <= PINNED.keys(), AGAIN


def test_neither_beam_nor_airflow_is_in_the_image() -> None:
    assert not [name for name in PINNED if "beam" in name or "airflow" in name]
