"""A model folder is complete or not a model, and a killed saving leaves no traces."""

import json
import os
import subprocess
import sys

import joblib
import pytest

from sklearn_bert import BertMaskedLM, BertVectorizer

TEXTS = ["a good film", "the bad plot"]
# Each child is killed when it opens, makes or renames something for the k-th time.
CODE = """
import os, sys, json, joblib, pathlib, shutil
model, root, before = joblib.load(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
model.save_pretrained(root / "warm-up")

def save(folder, fatal):
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    count = 0
    def hook(event, args):
        nonlocal count
        if event in ("open", "os.rename", "os.mkdir", "os.rmdir"):
            if str(folder.parent) in str(args[0]):
                count += 1
                if count == fatal:
                    os._exit(9)
    sys.addaudithook(hook)
    try:
        model.save_pretrained(folder)
    except BaseException as error:
        print(repr(error), file=sys.stderr)
        os._exit(1)
    os._exit(0)

found = []
for fatal in range(1, 400):
    folder = root / str(fatal) / "model"
    folder.parent.mkdir()
    if before == "empty":
        folder.mkdir()
    if before == "earlier":
        shutil.copytree(root / "warm-up", folder)
    code = save(folder, fatal)
    is_model = (folder / "config.json").exists()
    if is_model:
        written = json.loads((folder / "sklearn_bert.json").read_text())["files"]
        assert all((folder / name).exists() for name in written), fatal
    again = save(folder, 0)
    found.append([code, is_model, again])
    if code == 0:
        break
print(json.dumps(found))
"""


def files_of(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("before", ["absent", "empty", "earlier"])
def test_a_killed_saving_can_be_repeated(tiny_bert, tmp_path, before):
    model = BertMaskedLM(tiny_bert, max_steps=1, random_state=0).fit(TEXTS)
    joblib.dump(model, tmp_path / "model.joblib")
    root = tmp_path / "root"
    root.mkdir()
    args = [tmp_path / "model.joblib", root, before]
    # -P: not the source tree that the tests may have been started in.
    done = subprocess.run(
        [sys.executable, "-P", "-c", CODE, *map(str, args)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    found = json.loads(done.stdout)
    *killed, last = found
    assert len(killed) > 5
    assert {code for code, _, _ in killed} == {9}
    assert last[0] == 0
    if before == "earlier" and sys.platform == "linux":
        # Exchanged, so that there is a model at every moment.
        assert all(is_model for _, is_model, _ in found)
    # Whatever was left, the next call succeeds.
    assert all(again == 0 for _, _, again in found), (found, done.stderr)
    expected = files_of(root / "warm-up")
    for number in range(1, len(found) + 1):
        assert files_of(root / str(number) / "model") == expected
        assert files_of(root / str(number)) == sorted(
            ["model", *(f"model/{name}" for name in expected)]
        )
    features = BertVectorizer(str(root / "3" / "model")).transform(TEXTS)
    assert features.shape[0] == 2
