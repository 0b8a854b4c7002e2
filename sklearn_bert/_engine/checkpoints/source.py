"""Sources of an encoder: the files of a checkpoint, or a fitted estimator."""

from sklearn_bert._engine.checkpoints.architecture import (
    Architecture,
    read_architecture,
    shape_model,
)
from sklearn_bert._engine.checkpoints.config_files import read_config
from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.load import (
    Checkpoint,
    check_weight_files,
    load_checkpoint,
    load_tokenizer,
)
from sklearn_bert._engine.checkpoints.packed import PackedCheckpoint, unpack
from sklearn_bert._engine.checkpoints.sentence_transformers.modules import (
    shape_modules,
)
from sklearn_bert._engine.checkpoints.weights import remove_pooler
from sklearn_bert._engine.runtime.fork_safety import prepare_threads
from sklearn_bert._engine.text.tokenizer import TextTokenizer

Source = CheckpointFiles | PackedCheckpoint


def architecture_of(source: Source) -> Architecture:
    """Return the architecture of a source, without reading its weights."""
    if isinstance(source, PackedCheckpoint):
        return source.architecture
    return read_architecture(source)


def tokenizer_of(source: Source) -> TextTokenizer:
    """Return the tokenizer of a source, without reading its weights."""
    if isinstance(source, PackedCheckpoint):
        return source.make_tokenizer()
    return load_tokenizer(source)


def check_readable(source: Source) -> None:
    """Raise an error if weights are missing or damaged, without reading them."""
    if not isinstance(source, PackedCheckpoint):
        check_weight_files(source)


def load(source: Source) -> Checkpoint:
    """Return the encoder of a source, with writable weights, and its tokenizer."""
    # Large weights are checked in several threads, which a forked child lacks.
    prepare_threads()
    if isinstance(source, PackedCheckpoint):
        return unpack(source)
    return load_checkpoint(source)


def count_parameters(source: Source, n_modules: int) -> int:
    """Return the number of weights of the encoder and of its first modules.

    No weights are read.
    """
    modules = shape_modules(architecture_of(source).modules[:n_modules])
    n_of_modules = sum(parameter.numel() for parameter in modules.parameters())
    if isinstance(source, PackedCheckpoint):
        return n_of_modules + sum(array.size for array in source.weights.values())
    model = shape_model(read_config(source))
    remove_pooler(model)
    return n_of_modules + sum(parameter.numel() for parameter in model.parameters())


def digests_of(source: Source) -> dict[str, str]:
    """Return SHA-256 checksums that identify a source."""
    if isinstance(source, PackedCheckpoint):
        return {"weights": source.digest}
    return source.digests
