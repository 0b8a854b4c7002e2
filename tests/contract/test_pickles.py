"""What a pickle of a fitted estimator gives away of the machine that fitted it."""

import os
import pickle

import pytest

from contract.checkpoint import CHECKPOINT
from contract.registry import SUBJECTS


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_it_holds_no_folder_that_the_user_did_not_give(subject, monkeypatch):
    folder, name = os.path.split(CHECKPOINT)
    monkeypatch.chdir(folder)
    saved = pickle.dumps(subject.fit(model=name))
    assert folder.encode() not in saved
    assert os.getcwd().encode() not in saved
