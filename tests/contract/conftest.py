"""The checkpoint on which the contract with scikit-learn is tested."""

import pytest

from contract.checkpoint import CHECKPOINT, ROW_WORDS


@pytest.fixture(scope="session", autouse=True)
def contract_bert(save_model, vocabulary, tmp_path_factory):
    """Fill the folder that every estimator of the registry points to."""
    from transformers import BertTokenizerFast

    words = [*vocabulary, *ROW_WORDS]
    folder = save_model(
        tmp_path_factory.mktemp("contract") / "bert",
        num_hidden_layers=1,
        vocab_size=len(words),
    )
    tokenizer = BertTokenizerFast(
        vocab={word: id_ for id_, word in enumerate(words)}, model_max_length=64
    )
    tokenizer.save_pretrained(folder)
    CHECKPOINT.fill(folder)
    yield folder
    CHECKPOINT.fill(None)
