"""What earlier versions did not read of a checkpoint, and so did not apply.

They read no config_sentence_transformers.json, of the files with the settings of texts
only sentence_bert_config.json, and of that only max_seq_length. Estimators of these
versions have no prompt.
"""

from collections.abc import Collection

from sklearn_bert._engine.checkpoints.architecture import read_architecture
from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.files.content import read_json
from sklearn_bert._engine.checkpoints.files.names import PROMPTS
from sklearn_bert._engine.checkpoints.sentence_transformers.sentence_config import (
    FEWEST_TOKENS,
    read_sentence_config,
)


def find_new_settings(files: CheckpointFiles, read_then: Collection[str]) -> list[str]:
    """Return the settings that change features and that were not read in a fit.

    Parameters
    ----------
    files : CheckpointFiles
    read_then : collection of str
        The names of the files that were read in the fit.

    Returns
    -------
    list of str
    """
    # The versions that read this file without saying so in the record read the others.
    if PROMPTS in read_then:
        return []
    architecture = read_architecture(files)
    found = []
    if architecture.truncate_dim is not None:
        found.append(f"truncate_dim={architecture.truncate_dim}")
    if read_sentence_config(files).lowercase:
        found.append("do_lower_case=True")
    if architecture.max_length != _earlier_length(files, architecture.max_positions):
        found.append(f"a maximum length of {architecture.max_length}")
    return found


def _earlier_length(files: CheckpointFiles, n_positions: int) -> int:
    """Return the maximum length of earlier versions, the least that is declared."""
    declared = [
        read_json(files, f"{files.encoder}{name}").get(key)
        for name, key in (
            ("sentence_bert_config.json", "max_seq_length"),
            ("tokenizer_config.json", "model_max_length"),
        )
    ]
    limits = [x for x in declared if isinstance(x, int | float) and x >= FEWEST_TOKENS]
    return int(min(n_positions, *limits))
