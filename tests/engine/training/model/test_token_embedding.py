"""RowEmbedding: the rows of a batch are a leaf, and only they are trained."""

import torch

from sklearn_bert._engine.training.model.token_embedding import RowAdamW, RowEmbedding

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


# --- AdamW for some rows ----------------------------------------------------------


def move_rows(batches, weight, factor=1.0):
    """Minimize the sum of squares of the rows of each batch."""
    embedding = RowEmbedding(weight.clone())
    optimizer = RowAdamW(embedding, learning_rate=0.1, weight_decay=0.2)
    for rows in batches:
        embedding.take(torch.tensor(rows))
        embedding.leaf.square().sum().backward()
        optimizer.step(factor)
        embedding.release()
    return embedding.weight.detach()


def test_rows_used_in_every_step_move_as_by_adamw():
    weight = torch.linspace(-1, 1, 8, dtype=torch.float64).view(4, 2)
    expected = weight.clone().requires_grad_()
    adamw = torch.optim.AdamW([expected], lr=0.1, weight_decay=0.2)
    for _ in range(5):
        adamw.zero_grad()
        expected.square().sum().backward()
        adamw.step()
    moved = move_rows([[0, 1, 2, 3]] * 5, weight)
    torch.testing.assert_close(moved, expected.detach())


def test_a_row_moves_only_when_it_is_used():
    weight = torch.ones(4, 2, dtype=torch.float64)
    moved = move_rows([[0, 1], [1, 3]], weight)
    assert torch.equal(moved[2], weight[2])
    # Used once each, at the first and at the second step.
    torch.testing.assert_close(moved[0], moved[3])
    assert (moved[1] < moved[0]).all()


def test_further_rows_of_a_leaf_mean_nothing():
    weight = torch.linspace(-1, 1, 8, dtype=torch.float64).view(4, 2)
    embedding = RowEmbedding(weight.clone())
    optimizer = RowAdamW(embedding, learning_rate=0.1, weight_decay=0.2)
    leaf = torch.full((4, 2), 9.0, dtype=torch.float64, requires_grad=True)
    embedding.take(torch.tensor([0, 2]), leaf)
    leaf.square().sum().backward()
    optimizer.step(1.0)
    assert torch.equal(embedding.weight, move_rows([[0, 2]], weight))


def test_the_schedule_scales_the_move():
    weight = torch.ones(1, 2, dtype=torch.float64)
    full = 1 - move_rows([[0]], weight)
    half = 1 - move_rows([[0]], weight, factor=0.5)
    torch.testing.assert_close(half, full / 2)
