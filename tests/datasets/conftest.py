"""A small stand-in for the VADER archive, so that no test needs the network."""

import hashlib
import io
import tarfile
from dataclasses import replace

import pytest

from sklearn_bert.datasets import _sdist, _vader

FILES = {
    "movies": "1\t2.5\tA fine café &amp; film.\r\n2\t-1.25\ttab\there\r\n3\t0\t last",
    "tweets": "1\t0.5\tone\u2028line\r\n",
    "amazon": "1_1\t-0.9\ta\r\n1_2\t1\tb",
    "nyt": "1_1\t0.4\tc",
}


def tar_of(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def sdist(monkeypatch):
    """A small archive in the archive, whose checksum is the one expected."""
    inner = {_vader.MEMBERS[name]: text.encode() for name, text in FILES.items()}
    content = tar_of({_vader.INNER_ARCHIVE: tar_of(inner)})
    sha256 = hashlib.sha256(content).hexdigest()
    # The real archive is not at hand offline.
    monkeypatch.setattr(_vader, "SDIST", replace(_vader.SDIST, sha256=sha256))
    return content


@pytest.fixture
def downloads(sdist, monkeypatch):
    """Let downloads give the small archive, and count them."""
    calls = []

    def download(*_):
        calls.append("download")
        return sdist

    # Nothing is downloaded in tests.
    monkeypatch.setattr(_sdist, "_download", download)
    return calls
