"""The memory of oneDNN's kernels is bounded, since there are few sizes of products."""

import os
import subprocess
import sys

import pytest
import torch

from sklearn_bert._engine.encoding.linear import packed_linear_works

CODE = """
import sys
from sklearn_bert import BertVectorizer
vectorizer = BertVectorizer(sys.argv[1], pooling="cls")
# Each call is a batch of another number of texts.
for n in range(1, 61):
    vectorizer.transform([f"a good film {k:02}" for k in range(n)])
"""


@pytest.mark.skipif(
    not packed_linear_works(torch.float32), reason="needs oneDNN's linear layer"
)
def test_not_each_number_of_texts_has_kernels_of_its_own(tiny_bert):
    done = subprocess.run(
        [sys.executable, "-P", "-c", CODE, str(tiny_bert)],
        env={**os.environ, "ONEDNN_VERBOSE": "profile_create"},
        capture_output=True,
        text=True,
        check=True,
    )
    created = [line for line in done.stdout.splitlines() if "cache_miss" in line]
    products = [line for line in created if "inner_product" in line]
    # Four products of at most 30 sizes, and those of [CLS].
    assert 0 < len(products) < 160
