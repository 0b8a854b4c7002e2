"""The metadata of a model card can be read back, whatever is in it."""

import pytest
from huggingface_hub import ModelCard

from sklearn_bert._engine.export.metadata import join_card, read_metadata

METADATA = {"library_name": "transformers", "pipeline_tag": "text-classification"}


def test_the_hub_reads_what_was_written():
    card = ModelCard(join_card(METADATA, "# Title\n", name="model"))
    assert card.data.to_dict() == METADATA
    assert card.text.strip() == "# Title"


def test_scores_are_results_of_the_task():
    text = join_card(METADATA, "", name="model", scores={"accuracy": 0.9, "f1": 0.8})
    card = ModelCard(text)
    assert card.data.model_name == "model"
    assert [
        (one.task_type, one.metric_type, one.metric_value)
        for one in card.data.eval_results
    ] == [("text-classification", "accuracy", 0.9), ("text-classification", "f1", 0.8)]


def test_keys_without_a_value_are_left_out():
    assert "license" not in join_card({**METADATA, "license": None}, "", name="model")


@pytest.mark.parametrize("odd", ["a\n---\nb", "a: b", "- a", "'", "{a", "#", "no"])
def test_any_text_is_a_value(odd):
    card = join_card({**METADATA, "license": odd}, "text", name=odd, scores={odd: 1.0})
    metadata = read_metadata(card)
    assert metadata["license"] == odd
    assert metadata["model-index"][0]["name"] == odd
    assert ModelCard(card).text.strip() == "text"


@pytest.mark.parametrize(
    "card",
    [
        "",
        "# No metadata",
        "---\nlicense: mit",
        "---\n- a\n---\n",
        "---\n{a\n---\n",
        "---\n!!python/object/apply:os.system ['true']\n---\n",
        "---\n" + "[" * 5000 + "\n---\n",
        "---\n\x00\n---\n",
    ],
    ids=lambda card: repr(card[:20]),
)
def test_other_files_have_no_metadata(card):
    assert read_metadata(card) == {}
