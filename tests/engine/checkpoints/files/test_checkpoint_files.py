"""Checksums identify the files of a checkpoint."""

from sklearn_bert._engine.checkpoints.files.locate import locate


def test_digests_follow_the_content(own_bert):
    before = locate(str(own_bert), None).digests
    (own_bert / "config.json").write_text("{}")
    after = locate(str(own_bert), None).digests
    assert before["model.safetensors"] == after["model.safetensors"]
    assert before["config.json"] != after["config.json"]
