"""What an encoder is made of: files that were found, or what an estimator holds."""

from sklearn_bert._engine.checkpoints.architecture import (
    Architecture,
    read_architecture,
)
from sklearn_bert._engine.checkpoints.load import (
    Checkpoint,
    check_weight_files,
    load_checkpoint,
    load_tokenizer,
)
from sklearn_bert._engine.checkpoints.locate import CheckpointFiles
from sklearn_bert._engine.checkpoints.packed import PackedCheckpoint, unpack
from sklearn_bert._engine.text.tokenizer import TextTokenizer

Source = CheckpointFiles | PackedCheckpoint


def architecture_of(source: Source) -> Architecture:
    """Return a source's shape, without its weights."""
    if isinstance(source, PackedCheckpoint):
        return source.architecture
    return read_architecture(source)


def tokenizer_of(source: Source) -> TextTokenizer:
    """Return a source's tokenizer, without its weights."""
    if isinstance(source, PackedCheckpoint):
        return source.make_tokenizer()
    return load_tokenizer(source)


def check_weights(source: Source) -> None:
    """Refuse a source whose weights cannot be read, without reading them."""
    if not isinstance(source, PackedCheckpoint):
        check_weight_files(source)


def load(source: Source) -> Checkpoint:
    """Return a source's encoder, whose weights may be changed, and its tokenizer."""
    if isinstance(source, PackedCheckpoint):
        return unpack(source)
    return load_checkpoint(source)


def digests_of(source: Source) -> dict[str, str]:
    """Return SHA-256 sums that tell a source from every other."""
    if isinstance(source, PackedCheckpoint):
        return {"weights": source.digest}
    return source.digests
