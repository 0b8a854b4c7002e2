"""RowEmbedding: the rows of a batch are a leaf, the others stay out of it."""

import torch

from sklearn_bert._engine.training.model.token_embedding import RowEmbedding

WEIGHT = torch.arange(20.0).view(10, 2)
IDS = torch.tensor([[7, 2], [2, 9]])
ROWS = torch.tensor([2, 7, 9])


def test_reads_the_table_like_an_embedding():
    assert torch.equal(RowEmbedding(WEIGHT)(IDS), WEIGHT[IDS])


def test_reads_the_same_from_the_rows_taken():
    embedding = RowEmbedding(WEIGHT)
    embedding.take(ROWS)
    assert torch.equal(embedding(IDS), WEIGHT[IDS])


def test_gradients_add_up_in_the_rows_taken():
    embedding = RowEmbedding(WEIGHT)
    embedding.take(ROWS)
    embedding(IDS).sum().backward()
    assert embedding.leaf.grad.tolist() == [[2, 2], [1, 1], [1, 1]]
    assert embedding.weight.grad is None


def test_after_release_the_whole_table_is_read():
    embedding = RowEmbedding(WEIGHT)
    embedding.take(ROWS)
    embedding.release()
    assert embedding.leaf is None
    assert torch.equal(embedding(torch.tensor([0])), WEIGHT[:1])


def test_a_leaf_that_is_given_takes_the_rows():
    embedding = RowEmbedding(WEIGHT)
    leaf = torch.full((5, 2), -1.0, requires_grad=True)
    embedding.take(ROWS, leaf)
    assert embedding.leaf is leaf
    assert torch.equal(embedding(IDS), WEIGHT[IDS])
    embedding(IDS).sum().backward()
    assert leaf.grad.tolist() == [[2, 2], [1, 1], [1, 1], [0, 0], [0, 0]]
