"""What is exported of a checkpoint."""

import pytest

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.encoding.resolve import resolve_encoder
from sklearn_bert._engine.export.contents import EncoderExport


@pytest.fixture
def export():
    """Return a function that tells what is exported of a checkpoint."""

    def make(folder, n_columns=1, *, normalize=False, head=None, **changes):
        options = {
            "pooling": "mean",
            "max_length": None,
            "long_text": "truncate",
            "prompt": None,
            **changes,
        }
        files = locate(str(folder), None)
        resolved = resolve_encoder(files, "model", n_columns, **options)
        return EncoderExport(resolved, normalize, head)

    return make
