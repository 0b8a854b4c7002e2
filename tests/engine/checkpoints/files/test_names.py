"""Only known files are read."""

from sklearn_bert._engine.checkpoints.files.names import PATTERNS


def test_only_safe_files_are_asked_of_the_hub():
    assert not {"*.bin", "*.py", "*.pt", "*.pkl", "*", "*.safetensors*"} & set(PATTERNS)
