"""The parts of the engine: properties over the tables, and each against the same work by hand."""

from functools import partial
from itertools import pairwise
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_network
from scipy import ndimage

from dreamer.arrays import Image
from dreamer.ascent import objectives, octaves, regularisers, transforms, updates
from dreamer.ascent.climb import Ascent, Climb, octave_seed
from dreamer.ascent.engine import Octave, dream
from dreamer.ascent.objectives import Objective
from dreamer.ascent.steps import Step, annealed, number
from dreamer.assemble import assemble
from dreamer.nets import network
from dreamer.recipe import Recipe


def normalised(name: str) -> updates.Update:
    return lambda gradient, step: updates.NORMALISATIONS[name](gradient)


def make(net: Any, **parts: Any) -> Ascent:
    """An ascent on `mixed` with plain parts, some of them replaced."""
    goal = parts.pop("objective", objectives.layer("mixed"))
    standard = {
        "features": network.freeze(net, goal.layers, "float32"),
        "objective": goal,
        "transform": transforms.jitter(0),
        "update": normalised("rms"),
        "optimiser": updates.OPTIMISERS["ascent"],
        "regularise": regularisers.chain(),
        "rate": annealed(0.01),
    }
    return Ascent(**{**standard, **parts})


def climb(ascent: Ascent, photo: Image, steps: int = 6, first: int = 0, seed: int = 0) -> Climb:
    images = tf.constant(np.atleast_3d(photo)[None] if photo.ndim == 3 else photo)
    return ascent.run(ascent.begin(images), octave_seed(seed, 0, 0), first, steps, steps)


@pytest.fixture
def maps() -> dict[str, tf.Tensor]:
    random = np.random.default_rng(0)
    shapes = {"a": (2, 7, 9, 5), "b": (2, 4, 5, 3)}
    return {k: tf.constant(random.normal(size=s).astype(np.float32)) for k, s in shapes.items()}


def test_the_algebra_of_objectives_holds(maps: dict[str, tf.Tensor]) -> None:
    a, b = objectives.layer("a"), objectives.layer("b", [0, 2], "mean")
    mixed = 2 * (a + b) / 4 - 0.5 * b * 3
    by_hand = a(maps) / 2 + b(maps) / 2 - 1.5 * b(maps)
    assert mixed.layers == {"a", "b"}
    np.testing.assert_allclose(mixed(maps), by_hand, rtol=1e-5)


def test_an_objective_scores_each_picture_for_itself(maps: dict[str, tf.Tensor]) -> None:
    for name in objectives.REDUCTIONS:
        goal = objectives.layer("a", reduction=name)
        alone = [goal({"a": maps["a"][i : i + 1]})[0] for i in range(2)]
        np.testing.assert_allclose(goal(maps), alone, rtol=1e-5)


def test_a_direction_is_a_product_with_a_vector_of_length_one(maps: dict[str, tf.Tensor]) -> None:
    a = maps["a"].numpy()
    along = objectives.direction("a", [4, 1], [3, -4])(maps)
    np.testing.assert_allclose(along, (a @ [0, -0.8, 0, 0, 0.6]).mean((1, 2)), rtol=1e-4, atol=1e-6)
    alike = objectives.direction("a", [0, 1, 2, 3])(maps)
    np.testing.assert_allclose(alike, (a[..., :4].sum(-1) / 2).mean((1, 2)), rtol=1e-4, atol=1e-6)


def test_the_mean_of_units_is_not_squared() -> None:
    logits = tf.constant([[1.0, -2.0, 4.0], [0.0, 3.0, -5.0]])
    np.testing.assert_allclose(objectives.units("a", [1, 2])({"a": logits}), [1, -1])
    np.testing.assert_allclose(objectives.units("a")({"a": logits}), [1, -2 / 3], rtol=1e-6)


def test_a_border_is_left_out_of_the_sum_but_not_of_the_size(maps: dict[str, tf.Tensor]) -> None:
    a = maps["a"].numpy()
    score = objectives.layer("a", border=2)(maps)
    np.testing.assert_allclose(score, (a[:, 2:-2, 2:-2] ** 2).sum((1, 2, 3)) / a[0].size, rtol=1e-5)


def test_channels_weigh_as_much_as_they_are_told(maps: dict[str, tf.Tensor]) -> None:
    a, weights = maps["a"].numpy()[..., [3, 1]], np.array([0.5, -2])
    score = objectives.layer("a", [3, 1], weights=weights)(maps)
    np.testing.assert_allclose(score, (a**2 * weights).mean((1, 2, 3)), rtol=1e-5)


def test_a_guide_is_matched_place_by_place_or_on_average(maps: dict[str, tf.Tensor]) -> None:
    guide = tf.random.stateless_normal([3, 4, 5], [1, 1])
    a, places = maps["a"].numpy().reshape(2, -1, 5), guide.numpy().reshape(-1, 5)
    places = places / np.linalg.norm(places, axis=-1).mean()
    best = (a @ places.T).max(-1).mean(-1)
    np.testing.assert_allclose(objectives.guided("a", guide)(maps), best, rtol=1e-4)
    mean = a.mean(1) @ places.mean(0)
    score = objectives.guided("a", guide, "mean")(maps)
    np.testing.assert_allclose(score, mean, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("match", objectives.MATCHES)
def test_a_dream_grows_towards_its_guide(match: str, tiny: Any, photo: Image) -> None:
    guide = network.freeze(tiny, ["mixed"], "float32")(photo[None, ::-1, ::2, ::-1])["mixed"][0]
    ascent = make(tiny, objective=objectives.guided("mixed", guide, match), rate=annealed(0.003))
    assert climb(ascent, photo, 12).scores[0] > climb(ascent, photo, 1).scores[0]


@pytest.mark.parametrize("name", objectives.REDUCTIONS)
def test_every_objective_rises(name: str, tiny: Any, photo: Image) -> None:
    ascent = make(tiny, objective=objectives.layer("mixed", [1, 4, 8], name), rate=annealed(0.003))
    first, last = (climb(ascent, photo, steps).scores[0] for steps in (1, 12))
    assert last > first


def test_a_negative_weight_falls(tiny: Any, photo: Image) -> None:
    ascent = make(tiny, objective=-objectives.layer("mixed"), rate=annealed(0.003))
    assert climb(ascent, photo, 12).scores[0] > climb(ascent, photo, 1).scores[0]


@pytest.mark.parametrize("name", updates.NORMALISATIONS)
def test_every_normalisation_keeps_shape_direction_and_pictures_apart(name: str) -> None:
    normalise = updates.NORMALISATIONS[name]
    gradient = np.random.default_rng(2).normal(size=(2, 37, 50, 3)).astype(np.float32)
    gradient[1] *= 100
    both = normalise(tf.constant(gradient)).numpy()
    assert both.shape == gradient.shape
    assert np.isfinite(both).all()
    assert np.sum(both * gradient) > 0
    alone = normalise(tf.constant(gradient[1:])).numpy()
    np.testing.assert_allclose(both[1:], alone, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", [n for n in updates.NORMALISATIONS if n != "none"])
def test_a_normalisation_forgets_the_gradients_length(name: str) -> None:
    gradient = np.random.default_rng(2).normal(size=(1, 40, 40, 3)).astype(np.float32)
    normalise = updates.NORMALISATIONS[name]
    once, thrice = normalise(tf.constant(gradient)), normalise(tf.constant(3 * gradient))
    np.testing.assert_allclose(once, thrice, rtol=1e-4, atol=1e-5)


def test_a_vanishing_gradient_stays_finite() -> None:
    for name, normalise in updates.NORMALISATIONS.items():
        assert np.isfinite(normalise(tf.zeros([1, 33, 20, 3]))).all(), name


@pytest.mark.parametrize("size", [(33, 20), (16, 16), (5, 7), (64, 47)])
def test_the_pyramid_keeps_sizes_and_flat_pictures(size: tuple[int, int]) -> None:
    picture = tf.random.stateless_normal([2, *size, 3], [1, 2])
    low = updates._halve(picture)
    assert low.shape[1:3] == ((size[0] + 1) // 2, (size[1] + 1) // 2)
    flat = updates._double(updates._halve(tf.ones_like(picture)), picture)
    np.testing.assert_allclose(flat, tf.ones_like(picture), atol=1e-5)


def test_laplacian_normalisation_brings_every_scale_to_the_same_strength() -> None:
    random = np.random.default_rng(0)
    coarse = ndimage.gaussian_filter(random.normal(size=(128, 128, 3)), (8, 8, 0))
    fine = random.normal(size=(128, 128, 3))
    gradient = tf.constant((coarse / coarse.std() + 0.1 * fine)[None].astype(np.float32))
    flat = updates.NORMALISATIONS["laplacian"](gradient).numpy()[0]

    def share(image: np.ndarray, sigma: float) -> float:
        return float((ndimage.gaussian_filter(image, (sigma, sigma, 0)).var()) / image.var())

    assert share(gradient[0].numpy(), 1) > 0.95
    assert 0.5 < share(flat, 1) < 0.9
    assert 0.5 < flat.std() < 1.5


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("ascent", keras.optimizers.SGD),
        ("momentum", partial(keras.optimizers.SGD, momentum=0.9)),
        ("nesterov", partial(keras.optimizers.SGD, momentum=0.9, nesterov=True)),
        ("rmsprop", keras.optimizers.RMSprop),
        ("adam", keras.optimizers.Adam),
    ],
)
def test_an_optimiser_does_what_keras_does(name: str, reference: Any) -> None:
    init, apply = updates.OPTIMISERS[name]
    image = tf.Variable(tf.random.stateless_uniform([1, 4, 5, 3], [1, 1]))
    ours, memory = tf.identity(image), init(image)
    optimiser = reference(0.05)
    for i in range(5):
        gradient = tf.random.stateless_normal(image.shape, [2, i])
        optimiser.apply([-gradient], [image])
        ahead, memory = apply(gradient, memory, 0.05)
        ours += ahead
    np.testing.assert_allclose(ours, image, atol=2e-6)


def test_the_blur_is_scipys() -> None:
    image = np.random.default_rng(0).uniform(size=(31, 40, 3)).astype(np.float32)
    ours = regularisers.gaussian(tf.constant(image[None]), 1.7)[0]
    theirs = ndimage.gaussian_filter(image, (1.7, 1.7, 0), mode="reflect", truncate=6 / 1.7)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_allclose(regularisers.gaussian(tf.constant(image[None]), 0.0)[0], image)


def regularised(name: str, amount: float, image: Image, gradient: Image | None = None) -> Image:
    apply = regularisers.REGULARISERS[name](annealed(amount))
    steps = Step(tf.constant(0), tf.constant(2))
    around = image if gradient is None else gradient
    return apply(tf.constant(image[None]), tf.constant(around[None]), steps).numpy()[0]


@pytest.mark.parametrize("name", regularisers.REGULARISERS)
def test_every_regulariser_calms_a_picture_and_keeps_its_shape(name: str, photo: Image) -> None:
    calmed = regularised(name, {"median": 3, "blur": 1}.get(name, 0.05), photo)
    assert calmed.shape == photo.shape
    assert np.abs(calmed - photo).max() > 0
    rough, smooth = (np.abs(np.diff(x, axis=0)).mean() for x in (photo - 0.5, calmed - 0.5))
    assert smooth < rough or np.abs(calmed - 0.5).mean() < np.abs(photo - 0.5).mean()


@pytest.mark.parametrize("size", [3, 5, 7])
def test_the_median_is_scipys(size: int, photo: Image) -> None:
    theirs = ndimage.median_filter(photo, (size, size, 1), mode="nearest")
    np.testing.assert_allclose(regularised("median", size, photo), theirs, atol=1e-6)


def test_decay_goes_a_share_of_the_way(photo: Image) -> None:
    np.testing.assert_allclose(regularised("decay", 0.25, photo), photo * 0.75 + 0.125, atol=1e-6)


def test_the_clippings_turn_the_least_to_grey(photo: Image) -> None:
    gradient = np.random.default_rng(0).normal(size=photo.shape).astype(np.float32)
    worths = {
        "small_norm": np.linalg.norm(photo - 0.5, axis=-1),
        "small_contribution": np.abs(((photo - 0.5) * gradient).sum(-1)),
    }
    for name, worth in worths.items():
        for share in (0.0, 0.3, 0.999):
            clipped = regularised(name, share, photo, gradient)
            grey = (clipped == 0.5).all(-1) & (photo != 0.5).any(-1)
            assert abs(grey.mean() - share) < 0.005
            assert max(worth[grey], default=0) <= worth[~grey].min() + 1e-6
            np.testing.assert_array_equal(clipped[~grey], photo[~grey])


def test_each_picture_of_a_batch_is_clipped_for_itself(photo: Image) -> None:
    pictures = np.stack([photo, photo * 0.1 + 0.45])
    clip = regularisers.small_norm(annealed(0.3))
    steps = Step(tf.constant(0), tf.constant(2))
    both = clip(tf.constant(pictures), tf.constant(pictures), steps).numpy()
    for each, alone in zip(both, pictures, strict=True):
        np.testing.assert_array_equal(each, regularised("small_norm", 0.3, alone))


def test_total_variation_falls_and_edges_stay(photo: Image) -> None:
    edge = np.repeat(np.where(np.arange(40) < 20, 0.2, 0.8).astype(np.float32)[:, None], 30, 1)
    edge = np.dstack([edge] * 3)
    noisy = edge + np.random.default_rng(0).normal(0, 0.05, edge.shape).astype(np.float32)
    calm = noisy
    for _ in range(60):
        calm = regularised("total_variation", 0.005, calm)
    assert (calm - edge).std() < 0.7 * (noisy - edge).std()
    assert calm[25].mean() - calm[14].mean() > 0.5


def test_the_cascade_is_the_mean_of_three_blurs() -> None:
    gradient = np.random.default_rng(0).normal(size=(40, 50, 3)).astype(np.float32)
    ours = updates.cascade(0.5)(tf.constant(gradient[None]), Step(tf.constant(4), tf.constant(10)))
    blurs = [ndimage.gaussian_filter(gradient, (s, s, 0), truncate=4) for s in (0.75, 1.5, 3)]
    np.testing.assert_allclose(ours[0], np.mean(blurs, 0), atol=3e-3)


def test_an_amount_runs_from_start_to_end() -> None:
    steps = [Step(tf.constant(i), tf.constant(5)) for i in range(5)]
    falling = [float(annealed(4.0, 2.0)(step)) for step in steps]
    np.testing.assert_allclose(falling, [4, 3.5, 3, 2.5, 2])
    assert float(annealed(4.0)(steps[3])) == 4
    assert float(annealed(4.0, 2.0)(Step(tf.constant(0), tf.constant(1)))) == 4


def test_ascent_stops_when_the_objective_no_longer_rises(tiny: Any, photo: Image) -> None:
    long = climb(make(tiny, patience=3, rate=annealed(0.0)), photo, 60)
    assert not bool(long.alive[0])
    assert int(long.waited[0]) == 3
    assert bool(climb(make(tiny, patience=3), photo, 3).alive[0])


def test_a_filter_that_lowers_the_score_ends_no_ascent(tiny: Any, photo: Image) -> None:
    """A median makes the next score drop; patience compares with that of a cycle before."""
    recipe = Recipe(layers=("mixed",), median=5, median_every=10, patience=4, blur=0, rate=0.005)
    assembly = assemble(recipe, tiny)
    ascent = assembly._ascent("float32", None)
    assert ascent.cycle == 10
    scores = [float(climb(ascent, photo, steps).scores[0]) for steps in range(1, 31)]
    assert max(scores[:10]) > max(scores[10:14])
    assert bool(climb(ascent, photo, 30).alive[0])
    assert assemble(recipe.changed({"blur": 0.4}), tiny)._ascent("float32", None).cycle == 20


def test_every_skips_an_octaves_last_step() -> None:
    halve = regularisers.every(3, lambda images, gradient, step: images / 2)
    one = tf.ones([1, 1, 1, 3])
    done = [
        float(halve(one, one, Step(tf.constant(i), tf.constant(9)))[0, 0, 0, 0]) < 1
        for i in range(9)
    ]
    assert [i for i, blurred in enumerate(done) if blurred] == [2, 5]


def test_jitter_is_seeded_and_stays_within_its_bound() -> None:
    ramp = tf.reshape(tf.range(900.0), [1, 30, 30, 1]) * tf.ones([3])
    roll = transforms.jitter(2)
    seeds = [octave_seed(0, 0, i) for i in range(40)]
    tops = [int(roll(ramp, seed)[0, 10, 10, 0]) - 310 for seed in seeds]
    assert len(set(tops)) > 10
    assert all(abs(round(t / 30)) <= 2 and abs(t - 30 * round(t / 30)) <= 2 for t in tops)
    np.testing.assert_array_equal(roll(ramp, seeds[0]), roll(ramp, seeds[0]))


@pytest.mark.parametrize("name", updates.OPTIMISERS)
def test_where_a_run_is_cut_never_changes_a_pixel(name: str, tiny: Any, photo: Image) -> None:
    ascent = make(
        tiny,
        transform=transforms.jitter(5),
        update=normalised("laplacian"),
        optimiser=updates.OPTIMISERS[name],
        regularise=regularisers.chain(
            regularisers.every(2, regularisers.blur(annealed(0.5, 1.0))), regularisers.clip
        ),
    )
    whole, seed = climb(ascent, photo, 7), octave_seed(0, 0, 0)
    state = ascent.begin(tf.constant(photo[None]))
    for first, stop in ((0, 1), (1, 4), (4, 7)):
        state = ascent.run(state, seed, first, stop, 7)
    np.testing.assert_array_equal(whole.images, state.images)


def test_one_trace_serves_every_size_and_number_of_steps(tiny: Any, photo: Image) -> None:
    ascent = make(tiny)
    for size in (40, 56, 64):
        climb(ascent, photo[:size, :size], steps=size // 20)
    assert ascent._run.experimental_get_tracing_count() == 1  # type: ignore[attr-defined]


def test_ascent_stops_above_the_limit_picture_by_picture(tiny: Any, photo: Image) -> None:
    pictures = np.stack([photo, photo * 0.2])
    scores = climb(make(tiny), pictures, 1).scores.numpy()
    limited = climb(make(tiny, limit=float(scores.mean())), pictures, 1).images.numpy()
    stays, moves = scores.argmax(), scores.argmin()
    np.testing.assert_array_equal(limited[stays], pictures[stays])
    assert np.abs(limited[moves] - pictures[moves]).max() > 0


def test_a_shift_by_the_stride_commutes_with_ascent(photo: Image) -> None:
    net = tiny_network("valid")

    def wrapped(objective: Objective) -> Any:
        inner = network.freeze(net, objective.layers, "float32")

        def features(image: tf.Tensor) -> Any:
            around = tf.concat([image[:, -16:], image, image[:, :16]], 1)
            around = tf.concat([around[:, :, -16:], around, around[:, :, :16]], 2)
            # What is left of the valid maps is one period: 96 / 2 by 72 / 2 cells.
            return {k: v[:, 6:42, 6:54] for k, v in inner(around).items()}

        return features

    goal = objectives.layer("mixed")
    ascent = make(net, objective=goal, features=wrapped(goal))
    straight = np.roll(climb(ascent, photo, 4).images, (4, 6), (1, 2))
    shifted = climb(ascent, np.roll(photo, (4, 6), (0, 1)), 4).images
    np.testing.assert_allclose(straight, shifted, atol=1e-5)


def test_octaves_by_motif_depend_on_proportions_alone() -> None:
    small = octaves.by_motif((400, 600), 100, (0.5, 0.1), 1.4)
    large = octaves.by_motif((1200, 1800), 100, (0.5, 0.1), 1.4)
    assert large[: len(small)] == small
    assert large[0] == (200, 300)
    assert large[-1] == (1000, 1500)
    assert all(1.3 < b[0] / a[0] < 1.5 for a, b in pairwise(large))
    assert octaves.by_motif((90, 120), 100, (0.5, 0.1), 1.4) == [(90, 120)]
    assert octaves.by_motif((270, 360), 100, (0.5, 0.1), 1.4) == [(200, 267), (270, 360)]
    assert octaves.by_motif((210, 280), 100, (0.5, 0.1), 1.4) == [(200, 267)]
    assert octaves.by_motif((900, 1200), 100, (0.3, 0.3), 1.4) == [(333, 444)]


@pytest.mark.parametrize("size", [(31, 27), (101, 90)])
def test_zoom_is_scipys(size: tuple[int, int], photo: Image) -> None:
    theirs = ndimage.zoom(photo, (size[0] / 72, size[1] / 96, 1), order=1)
    ours = octaves.resize(tf.constant(photo[None]), size, "zoom")[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_octaves_by_count_end_at_the_picture() -> None:
    assert octaves.by_count((300, 451), 3, 1.4) == [(153, 230), (214, 322), (300, 451)]


@pytest.mark.parametrize("name", octaves.CARRIES)
def test_a_dream_without_a_step_is_the_photo(name: str, tiny: Any, photo: Image) -> None:
    ascent = make(tiny, rate=annealed(0.0))
    plan = [Octave(size, ascent) for size in ((36, 48), (51, 68), (72, 96))]
    *_, last = dream(photo, plan, steps=1, carry=octaves.CARRIES[name], method="lanczos3", seed=0)
    if name == "plain":
        assert np.abs(last.picture() - photo).mean() < 0.1
    else:
        np.testing.assert_allclose(last.picture(), photo, atol=1e-5)


def test_small_octaves_leave_their_detail_on_the_full_photo(tiny: Any, photo: Image) -> None:
    plan = [Octave((36, 48), make(tiny))]
    states = list(
        dream(photo, plan, steps=3, carry=octaves.CARRIES["detail"], method="lanczos3", seed=0)
    )
    picture = states[-1].picture()
    assert picture.shape == photo.shape
    change = picture - photo
    assert change.std() > 0.01
    energy = np.abs(np.fft.fft2(change, axes=(0, 1))) ** 2
    frequency = np.maximum(*np.meshgrid(*map(np.abs, map(np.fft.fftfreq, (72, 96))), indexing="ij"))
    assert energy[frequency > 0.35].sum() < 0.02 * energy.sum()
    assert [s.done for s in states] == sorted(s.done for s in states)
    assert states[-1].done == 1
    assert states[-1].ends_octave


def test_another_number_is_another_dream_and_traces_nothing_anew(tiny: Any, photo: Image) -> None:
    objective = objectives.gained(objectives.layer("mixed") * (lambda numbers: numbers["weight"]))
    gains = objectives.gain("mixed")
    numbers = {"rate": 0.01, "weight": 1.0, gains: np.ones(14)}
    tensors = {name: tf.constant(value, tf.float32) for name, value in numbers.items()}
    ascent = make(tiny, objective=objective, rate=number("rate"), numbers=tensors)
    seed, start = octave_seed(0, 0, 0), ascent.begin(tf.constant(photo[None]))
    usual = ascent.run(start, seed, 0, 3, 3)
    plain = make(tiny, objective=objectives.layer("mixed"), rate=annealed(0.01))
    np.testing.assert_array_equal(usual.images, plain.run(start, seed, 0, 3, 3).images)
    strengths = usual.strengths["mixed"].numpy()
    assert strengths.shape == (1, 14)
    strongest = strengths[0].argmax()
    for name, value in {"rate": 0.0, "weight": -1.0, gains: np.eye(14)[strongest]}.items():
        other = ascent.run(start, seed, 0, 3, 3, {**tensors, name: tf.constant(value, tf.float32)})
        assert np.abs(other.images - usual.images).max() > 1e-3
    assert ascent._run.experimental_get_tracing_count() == 1  # type: ignore[attr-defined]
