"""Pairs that T is taught by before it meets a critic, and photographs that something was taken away of."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from tests.training.test_edit_training import CRITIC, GENERATOR, NETWORK, OPTIONS, run, toy_pool
from vidinv.models.generator import Generator
from vidinv.training import edit_samples, edit_training, undone
from vidinv.training.edit_samples import Pool
from vidinv.training.edit_teaching import ONWARDS, SHARES, taught_pairs, teaching_losses
from vidinv.training.scores import SCORES

pytestmark = pytest.mark.usefixtures("one_thread")
SMILE, AGE = SCORES.index("smile"), SCORES.index("age")


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(1)
    return Generator(GENERATOR).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def pool() -> Pool:
    """The first eight persons' two pictures are one with a smile drawn on it."""
    whole = toy_pool()
    drawn, asked = whole.drawn.copy(), whole.asked.copy()
    drawn[:16], asked[:16] = SMILE, np.where(whole.pairs[:16, 0] < whole.pairs[:16, 1], 2, -2)
    return dataclasses.replace(whole, drawn=drawn, asked=asked)


def test_only_drawn_pairs_teach_and_most_of_them_put_something_on(pool: Pool) -> None:
    taught = taught_pairs(pool)
    assert len(taught.pairs) == 16
    assert (taught.drawn == SMILE).all()
    assert taught.pair_weights.sum() == pytest.approx(1)
    assert taught.pair_weights[taught.asked > 0].sum() == pytest.approx(ONWARDS)
    with pytest.raises(ValueError, match="draw_pairs"):
        taught_pairs(toy_pool())
    kinds = pool.drawn.copy()
    kinds[:4] = SCORES.index("glasses")
    mixed = taught_pairs(dataclasses.replace(pool, drawn=kinds))
    share = mixed.pair_weights[mixed.drawn == SCORES.index("glasses")].sum()
    assert share == pytest.approx(SHARES["glasses"], abs=0.02)


def test_a_network_learns_what_pairs_show_while_its_critic_waits(pool: Pool, generator: Generator) -> None:
    taught = taught_pairs(pool)
    options = dataclasses.replace(OPTIONS, images=600, taught=594, rate=3e-3)
    state = edit_training.start(NETWORK, CRITIC, options)
    critic = state.critic.judge.weight.clone()
    found = run(state, 98, taught, generator, torch.Generator().manual_seed(0), options)
    assert set(found[0]) == {"code", "picture", "edges", "knows"}
    first, last = (float(torch.stack([f["code"] for f in part]).mean()) for part in (found[:10], found[-10:]))
    assert last < 0.93 * first
    assert torch.equal(state.critic.judge.weight, critic)
    assert state.taught == state.seen == 588
    assert "adversarial" in run(state, 2, taught, generator, torch.Generator().manual_seed(0), options)[-1]
    assert not torch.equal(state.critic.judge.weight, critic)


def test_what_it_knew_is_held_unless_the_pairs_teach_it(pool: Pool, generator: Generator) -> None:
    learned = edit_training.start(NETWORK, CRITIC, dataclasses.replace(OPTIONS, seed=9)).net
    other = edit_training.start(NETWORK, CRITIC, OPTIONS).net
    stays = torch.tensor([n == "age" for n in SCORES])
    taught = taught_pairs(pool)
    batch = edit_samples.draw(taught, taught, edit_samples.centre_of(taught), (2, 2), 0.0, (0, 0))

    def known(edit: int, amount: float) -> float:
        amounts = batch.amounts.clone()
        amounts[:2] = 0
        amounts[:2, edit] = amount
        asked = dataclasses.replace(batch, amounts=amounts)
        return teaching_losses(other, learned, generator, asked, stays, edit_training.ON_CPU)["knows"].item()

    assert known(AGE, 1) > 0
    assert known(AGE, -1) > 0
    assert known(SMILE, -1) > 0
    assert known(SMILE, 1) == 0
    alone = teaching_losses(other, None, generator, batch, stays, edit_training.ON_CPU)
    assert alone["knows"].item() == 0


def test_a_smile_is_taken_off_training_faces_that_show_one(pool: Pool, generator: Generator) -> None:
    count = len(pool.rows)
    read = np.zeros((count, len(SCORES)), np.float32)
    read[4:12, SMILE] = 3
    happy = np.zeros((count, 7))
    happy[:10, 1] = 0.95
    labels = pool.codes.labels | {"read": read, "expression": happy, "val": np.arange(count) == 5}
    codes = dataclasses.replace(pool.codes, labels=labels)
    rows = undone.fit("smile", codes)
    assert rows.tolist() == [4, 6, 7, 8, 9]
    network = edit_training.start(NETWORK, CRITIC, OPTIONS).net
    made = undone.undo("smile", codes, rows, network, generator, ())
    assert made.shape == (5, 64, 64, 3)
    assert made.dtype == np.uint8
    with torch.no_grad():
        network.draw.zero_(), network.move.zero_(), network.tint.weight.zero_()
        w, feature, below = (
            torch.from_numpy(np.array(a[rows], np.float32)) for a in (codes.w, codes.feature, codes.below)
        )
        same = generator.render_from(w, feature, below).clamp(-1, 1)
    kept = undone.undo("smile", codes, rows, network, generator, ())
    assert np.abs(kept - (same.permute(0, 2, 3, 1).numpy() + 1) * 127.5).max() <= 0.51
    assert np.abs(kept.astype(int) - made).max() > 0
