"""The edit network's training at toy size: what is drawn, what is held, and that it learns and resumes exactly."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.teachers_toy import toy_teachers
from vidinv.models.edit_network import EditNetworkConfig
from vidinv.models.generator import Generator, GeneratorConfig
from vidinv.runtime.compute import Compute
from vidinv.training import accessories, checkpoints, edit_losses, edit_samples, edit_training
from vidinv.training.codes import Codes
from vidinv.training.edit_critic import EditCritic, EditCriticConfig
from vidinv.training.edit_losses import Readers
from vidinv.training.edit_samples import Pool
from vidinv.training.edit_training import EditState, EditTrainingOptions
from vidinv.training.scores import MOVING, SCORES

pytestmark = pytest.mark.usefixtures("one_thread")

GENERATOR = GeneratorConfig((8, 8, 8, 8, 8), d_style=8, mapping_layers=1, feature_layer=5)
NETWORK = EditNetworkConfig(SCORES, GENERATOR.layers, 8, 8, 16, 6, (8, 8, 8), 1, 8)
CRITIC = EditCriticConfig(64, len(SCORES), (8, 8, 8, 8))
OPTIONS = EditTrainingOptions(images=60, unpaired=4, paired=2, adversarial_after=0, r1_every=2)


def toy_pool(count: int = 24) -> Pool:
    """Faces of random codes, two pictures of each person."""
    rng, nets = np.random.default_rng(0), toy_teachers()
    points = rng.uniform(16, 48, (count, 68, 2))
    labels = {
        "age": rng.uniform(10, 70, count),
        "identity": rng.normal(size=(count, 16)).astype(np.float32),
        "points68": points,
    }
    codes = Codes(
        w=rng.normal(size=(count, GENERATOR.layers, 8)).astype(np.float16),
        feature=rng.normal(size=(count, 8, 16, 16)).astype(np.float16),
        below=rng.normal(size=(count, 3, 16, 16)).astype(np.float16),
        inversions=rng.integers(0, 256, (count, 64, 64, 3)).astype(np.uint8),
        labels=labels,
        scales=dict.fromkeys(SCORES, 1.0),
    )
    known = rng.normal(size=(count, len(SCORES))).astype(np.float32)
    known[::5, SCORES.index("hair")] = np.nan
    rows = np.arange(count)
    grids = torch.tensor([[1.0, 0, 0], [0, 1, 0]]).expand(count, 2, 3)
    persons = np.array([f"set/{i // 2}" for i in rows])
    return Pool(
        codes=codes,
        names=SCORES,
        known=known,
        read=known,
        may=np.isfinite(known),
        rows=rows,
        weights=np.full(count, 1 / count),
        identity_grids=grids,
        attribute_grids=grids,
        probe_grids=accessories.view_grids(nets, points, 64),
        hulls=edit_samples.hull_maps(points, 64, 16),
        mouths=edit_samples.mouth_maps(points, 64, 16),
        pairs=edit_samples.pairs_of(persons, rows),
        pair_weights=edit_samples.even(persons),
        alike=np.ones(count, bool),
        drawn=np.full(2 * (count // 2), -1),
        asked=np.zeros(2 * (count // 2), np.float32),
    )


@pytest.fixture(scope="module")
def pool() -> Pool:
    return toy_pool()


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(1)
    return Generator(GENERATOR).eval().requires_grad_(False)


def toy_readers() -> Readers:
    nets = toy_teachers()
    with torch.no_grad():
        widths = accessories.features_at(nets, torch.zeros(1, 3, 64, 64), torch.eye(2, 3)[None])
    weights = {name: torch.ones(width.shape[1]) for name, width in widths.items()}
    probe = accessories.Probe(weights, {name: torch.zeros(()) for name in weights})
    return Readers(nets, probe, dict.fromkeys(SCORES, 1.0), SCORES)


def run(
    state: EditState,
    steps: int,
    pool: Pool,
    generator: Generator,
    rng: torch.Generator,
    options: EditTrainingOptions = OPTIONS,
) -> list[dict]:
    centre, readers, found = edit_samples.centre_of(pool), toy_readers(), []
    for _ in range(steps):
        batch = edit_samples.draw(pool, pool, centre, (4, 2), 0.5, (0, state.seen))
        lone = state.seen < options.taught
        real = None if lone else edit_samples.draw_real(pool, pool, centre, (4, 2), (0, state.seen, 1))
        found.append(edit_training.step(state, generator, readers, batch, real, options, rng))
    return found


def test_amounts_bring_a_score_to_where_another_face_has_it(pool: Pool) -> None:
    rows = np.arange(len(pool.rows))
    amounts = edit_samples.draw_amounts(pool, rows, np.random.default_rng(0), 0.0)
    assert ((amounts != 0).sum(1) <= 1).all()
    assert (amounts != 0).any(1).mean() > 0.9
    reached = pool.known + amounts
    for row, edit in zip(*np.nonzero(amounts), strict=True):
        least = np.abs(pool.known[:, edit] - reached[row, edit])
        assert np.nanmin(least) < 1e-5 or abs(amounts[row, edit]) == edit_samples.MOST


def test_no_face_is_edited_in_what_it_does_not_show(pool: Pool) -> None:
    amounts = edit_samples.draw_amounts(pool, np.arange(24), np.random.default_rng(0), 1.0)
    assert not amounts[::5, SCORES.index("hair")].any()
    assert ((amounts != 0).sum(1) == 2).any()


def test_pairs_are_two_pictures_of_one_person_and_the_amounts_between_them(pool: Pool) -> None:
    batch = edit_samples.draw(pool, pool, edit_samples.centre_of(pool), (4, 8), 0.0, (5,))
    asked = batch.amounts[4:]
    differ = [n in MOVING for n in SCORES]
    assert not asked[:, ~torch.tensor(differ)].any()
    assert asked[:, torch.tensor(differ)].any()
    persons = np.array(["a", "b", "", "a", ""])
    assert edit_samples.pairs_of(persons, np.arange(5)).tolist() == [[0, 3], [3, 0]]
    assert edit_samples.pairs_of(persons, np.array([0, 1])).shape == (0, 2)


def drawn_pool(pool: Pool) -> Pool:
    """The same, where the second picture of each person is the first one in glasses."""
    asked = np.where(pool.pairs[:, 0] < pool.pairs[:, 1], 2.5, -2.5).astype(np.float32)
    return dataclasses.replace(pool, drawn=np.full(len(pool.pairs), SCORES.index("glasses")), asked=asked)


def test_of_a_pair_with_something_drawn_only_that_is_asked(pool: Pool) -> None:
    batch = edit_samples.draw(pool, drawn_pool(pool), edit_samples.centre_of(pool), (4, 8), 0.0, (5,))
    asked = batch.amounts[4:]
    assert [n for n, a in zip(SCORES, (asked != 0).any(0), strict=True) if a] == ["glasses"]
    assert set(asked[:, SCORES.index("glasses")].tolist()) == {-2.5, 2.5}
    assert batch.drawn.tolist() == [True] * 8


def test_what_is_drawn_is_compared_in_its_own_colours_and_everywhere(pool: Pool) -> None:
    centre, teachers = edit_samples.centre_of(pool), toy_teachers()
    drawn = edit_samples.draw(pool, drawn_pool(pool), centre, (0, 4), 0.0, (5,))
    taken = edit_samples.draw(pool, pool, centre, (0, 4), 0.0, (5,))
    made = taken.partner
    assert float(edit_losses.pair_losses(teachers, made, drawn)["pair"]) == 0
    assert float(edit_losses.pair_losses(teachers, made, taken)["pair"]) > 0.01  # the light is the picture's own
    nothing = dataclasses.replace(drawn, hull=torch.zeros_like(drawn.hull))
    assert float(edit_losses.pair_losses(teachers, -made, nothing)["pair"]) > 0.1


def test_what_is_drawn_is_held_to_nothing_else(pool: Pool) -> None:
    centre = edit_samples.centre_of(pool)
    drawn, taken = (edit_samples.draw(pool, p, centre, (0, 4), 0.0, (5,)) for p in (drawn_pool(pool), pool))
    assert all(float(v) == 0 for v in edit_losses.holds(drawn.partner, drawn, SCORES).values())
    assert float(edit_losses.holds(taken.partner, taken, SCORES)["change"]) > 0


def test_drawn_pairs_are_most_of_the_pairs_that_are_taken() -> None:
    weights = edit_samples.shared(np.full(10, 0.1), np.arange(10) < 2)
    assert weights.sum() == pytest.approx(1)
    assert weights[:2].sum() == pytest.approx(edit_samples.DRAWN)
    even = np.full(4, 0.25)
    assert edit_samples.shared(even, np.zeros(4, bool)) is even


def test_a_network_goes_on_when_its_new_critic_has_learned(pool: Pool, generator: Generator) -> None:
    learned = edit_training.start(NETWORK, CRITIC, dataclasses.replace(OPTIONS, seed=9)).net
    learned.steps.fill_(0.7)
    state = edit_training.start(NETWORK, CRITIC, OPTIONS)
    edit_training.begin(state, learned, "showed it 9 faces")
    assert state.recipe == "showed it 9 faces; then 0 more, against a new one"
    assert torch.equal(state.average.draw, learned.draw)
    assert (state.net.steps == 1).all()
    critic = state.critic.judge.weight.clone()
    alone = dataclasses.replace(OPTIONS, critic_alone=12)
    rng = torch.Generator().manual_seed(0)
    run(state, 2, pool, generator, rng, alone)
    assert torch.equal(state.net.draw, learned.draw)
    assert not torch.equal(state.critic.judge.weight, critic)
    run(state, 1, pool, generator, rng, alone)
    assert not torch.equal(state.net.draw, learned.draw)
    other = edit_training.start(dataclasses.replace(NETWORK, hidden=16), CRITIC, OPTIONS)
    with pytest.raises(ValueError, match="hidden=8"):
        edit_training.begin(other, learned, "")


def test_edits_without_drawn_pairs_stay_what_they_were_in_the_network_before(pool: Pool, generator: Generator) -> None:
    alone = edit_samples.only(pool, ("age",))
    learned = edit_training.start(NETWORK, CRITIC, dataclasses.replace(OPTIONS, seed=9)).net
    with torch.no_grad():
        learned.draw.mul_(30)

    def away(kept: frozenset[str]) -> float:
        state = edit_training.start(NETWORK, CRITIC, OPTIONS)
        edit_training.begin(state, learned, "")
        state.learned, state.kept = learned, kept
        figures = run(state, 8, alone, generator, torch.Generator().manual_seed(0))
        return float(figures[-1]["kept"])

    assert away(frozenset()) == 0
    assert away(frozenset({"smile"})) == 0
    assert away(frozenset({"age"})) > 0


def test_a_hull_holds_the_landmarks_and_the_forehead() -> None:
    turn = np.linspace(0, np.pi, 17)
    jaw = np.stack([32 - 20 * np.cos(turn), 30 + 24 * np.sin(turn)], 1)
    brows = np.stack([np.linspace(16, 48, 10), np.full(10, 26.0)], 1)
    rest = np.full((41, 2), 34.0)
    (found,) = edit_samples.hull_maps(np.concatenate([jaw, brows, rest])[None], 64, 64)
    assert found[50, 32] == found[28, 32] == found[18, 32] == 255  # chin, between the brows, forehead
    assert found[60, 32] == found[30, 4] == found[2, 32] == 0


def test_the_critic_judges_one_picture_under_two_conditions() -> None:
    torch.manual_seed(0)
    critic = EditCritic(CRITIC)
    seen = critic.look(torch.rand(2, 3, 64, 64) * 2 - 1)
    a, b = (critic.judged(seen, torch.full((2, len(SCORES)), v)) for v in (-1.0, 1.0))
    assert [x.shape[0] for x in a] == [2, 2, 2]
    assert a[0].shape[1] > a[1].shape[1] > a[2].shape[1] == 1
    assert all((x - y).abs().max() > 1e-4 for x, y in zip(a, b, strict=True))


def test_scores_that_nobody_read_or_asked_for_cost_nothing() -> None:
    read = torch.tensor([[1.0, float("nan"), 3.0]], requires_grad=True)
    target = torch.tensor([[1.0, 5.0, float("nan")]])
    loss = edit_losses.score_loss(read, target, torch.tensor([[1.0, 1.0, 1.0]]), 1.0)
    loss.backward()
    assert loss == 0
    assert torch.isfinite(read.grad).all()
    off = edit_losses.score_loss(torch.zeros(1, 2), torch.ones(1, 2), torch.tensor([[1.0, 0.0]]), 0.25)
    assert off == pytest.approx(1.25 * edit_losses.score_loss(torch.zeros(1, 1), torch.ones(1, 1), torch.ones(1, 1), 0))


def test_an_edit_is_spared_the_hold_on_what_it_is_made_to_change() -> None:
    amounts = torch.zeros(3, len(SCORES))
    amounts[0, SCORES.index("smile")] = 1
    amounts[1, SCORES.index("hair")] = -1
    amounts[2, [SCORES.index("smile"), SCORES.index("hair")]] = 1
    assert edit_losses.held(amounts, SCORES, {"hair": 1.0}).tolist() == [1.0, 0.0, 0.0]


def test_training_writes_moves_every_part_and_figures_are_finite(pool: Pool, generator: Generator) -> None:
    state = edit_training.start(NETWORK, CRITIC, OPTIONS)
    before = {k: v.clone() for k, v in state.net.state_dict().items()}
    figures = run(state, 4, pool, generator, torch.Generator().manual_seed(0))
    assert state.seen == 24
    assert all(torch.isfinite(v).all() for f in figures for v in f.values())
    assert {"adversarial", "scores", "read", "identity", "outside", "motion", "d", "r1"} <= figures[2].keys()
    after = state.net.state_dict()
    assert {k for k in after if torch.equal(after[k], before[k])} == {"mean", "spread", "mean_latent", "steps"}


def test_four_steps_are_two_steps_a_checkpoint_and_two_more(pool: Pool, generator: Generator, tmp_path: Path) -> None:
    whole, first = (edit_training.start(NETWORK, CRITIC, OPTIONS) for _ in range(2))
    rng, half = (torch.Generator().manual_seed(3) for _ in range(2))
    run(whole, 4, pool, generator, rng)
    run(first, 2, pool, generator, half)
    checkpoints.keep(tmp_path, first.to_dict(), first.weights())
    second = edit_training.start(NETWORK, CRITIC, dataclasses.replace(OPTIONS, seed=7))
    second.from_dict(checkpoints.read(tmp_path, "state"))
    run(second, 2, pool, generator, half)
    assert all(torch.equal(a, b) for a, b in zip(whole.net.parameters(), second.net.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b in zip(whole.average.parameters(), second.average.parameters(), strict=True))
    smaller = edit_training.start(NETWORK, CRITIC, OPTIONS)
    smaller.from_dict(checkpoints.read(tmp_path, "state-portable"))
    assert smaller.seen == 12
    assert set(checkpoints.read_weights(tmp_path)) == {"edits", "seen", "recipe"}


def test_codes_that_are_tensors_on_a_device_are_drawn_alike(pool: Pool) -> None:
    centre, sent = edit_samples.centre_of(pool), pool.to("cpu")
    assert isinstance(sent.codes.feature, torch.Tensor)
    assert sent.codes.feature.dtype == torch.float16
    a, b = (edit_samples.draw(p, p, centre, (4, 2), 0.5, (0, 7)) for p in (pool, sent))
    for field in dataclasses.fields(a):
        one, other = getattr(a, field.name), getattr(b, field.name)
        assert one.dtype == other.dtype
        assert torch.equal(one.nan_to_num(99), other.nan_to_num(99)), field.name
    real, other = (edit_samples.draw_real(p, p, centre, (4, 2), (0, 7, 1)) for p in (pool, sent))
    assert torch.equal(real[0], other[0])


def test_faces_are_drawn_as_a_choice_by_weights_would(pool: Pool) -> None:
    weights = np.linspace(1, 2, len(pool.rows))
    uneven = dataclasses.replace(pool, weights=weights / weights.sum())
    rng, same = np.random.default_rng(3), np.random.default_rng(3)
    amounts = edit_samples.draw_amounts(uneven, np.array([1]), rng, 0.0)
    edits = np.flatnonzero(uneven.may[1])
    (edit,) = np.flatnonzero(amounts[0])
    assert same.permutation(edits)[0] == edit
    same.random()
    others = same.choice(uneven.rows, 16, p=uneven.weights)
    asked = uneven.known[others, edit] - uneven.known[1, edit]
    assert amounts[0, edit] in np.clip(asked, -edit_samples.MOST, edit_samples.MOST)


def test_larger_steps_keep_the_share_of_pairs_and_the_mean_by_faces() -> None:
    options = EditTrainingOptions(unpaired=9, paired=3, average=0.998)
    larger = edit_training.larger(options, 128)
    assert (larger.unpaired, larger.paired, larger.batch) == (96, 32, 128)
    assert larger.average == pytest.approx(0.998 ** (128 / 12))
    assert edit_training.larger(options, 12) == options


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_trains_and_the_cpu_goes_on(pool: Pool, tmp_path: Path) -> None:
    compute, nets, sent = Compute("cuda", torch.bfloat16), toy_teachers(), pool.to("cuda")
    nets.labeller.to("cuda")
    here = toy_readers()
    readers = dataclasses.replace(here, teachers=nets, probe=here.probe.to("cuda"))
    torch.manual_seed(1)
    generator = Generator(GENERATOR).eval().requires_grad_(False).to("cuda")
    state, centre = edit_training.start(NETWORK, CRITIC, OPTIONS, "cuda"), edit_samples.centre_of(pool)
    rng = torch.Generator("cuda").manual_seed(0)
    for _ in range(4):
        batch = edit_samples.draw(sent, sent, centre, (4, 2), 0.5, (0, state.seen))
        real = edit_samples.draw_real(sent, sent, centre, (4, 2), (0, state.seen, 1))
        figures = edit_training.step(state, generator, readers, batch, real, OPTIONS, rng, compute)
        assert all(torch.isfinite(v).all() and v.is_cuda for v in figures.values())
    checkpoints.keep(tmp_path, state.to_dict(), state.weights())
    after = edit_training.start(NETWORK, CRITIC, OPTIONS)
    after.from_dict(checkpoints.read(tmp_path, "state-portable"))
    assert after.seen == 24


def test_a_target_beyond_the_ends_is_reached_at_the_end() -> None:
    ends = torch.tensor([-3.0]), torch.tensor([3.0])
    one = torch.ones(1, 1)
    for target, read, paid in ((5.0, 3.2, False), (5.0, 2.0, True), (-5.0, -3.5, False), (2.0, 2.5, True)):
        loss = edit_losses.score_loss(read * one, target * one, one, 1.0, ends)
        assert bool(loss > 0) == paid


def test_persons_are_drawn_alike_whatever_the_number_of_their_pictures() -> None:
    weights = edit_samples.even(np.array(["a"] * 6 + ["b"] * 2))
    assert weights[:6].sum() == pytest.approx(weights[6:].sum()) == pytest.approx(0.5)


def test_an_edit_that_is_no_score_is_refused(pool: Pool) -> None:
    with pytest.raises(ValueError, match=r"no score is called smlie; there are age"):
        edit_samples.only(pool, ("smlie",))


def test_only_what_is_put_on_alone_is_held_dark() -> None:
    names = ("beard", "glasses", "smile")
    amounts = torch.tensor([[2.0, 0, 0], [0, 1, 0], [1, 2, 0], [-2, 0, 0], [1, 0, 1], [1, 0, -1], [0, 0, 2], [0, 0, 0]])
    found = edit_losses.puts_on(amounts, names, edit_losses.DARK)
    assert found.tolist() == [True, True, True, False, False, False, False, False]


def test_a_light_beard_is_held_and_a_dark_one_is_not(pool: Pool) -> None:
    batch = edit_samples.draw(pool, pool, edit_samples.centre_of(pool), (4, 0), 0.0, (5,))
    beard = torch.zeros_like(batch.amounts)
    beard[:, SCORES.index("beard")] = 2.0
    batch = dataclasses.replace(batch, amounts=beard)
    lighter, darker = (edit_losses.holds(batch.picture + by, batch, SCORES)["lighter"] for by in (0.2, -0.2))
    assert float(lighter) == pytest.approx(0.2, abs=1e-4)
    assert float(darker) == 0
