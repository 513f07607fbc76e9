"""What every kind of film promises to the loop that plays it, and to what keeps its keys."""

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from tiny_films import clip_of, feedback_of, keys_of

from dreamer.arrays import Image, Stored
from dreamer.motion import homographies
from dreamer.motion.warp import warp
from dreamer.networks.network import Network
from dreamer.networks.registry import NetSpec
from dreamer.pipelines import frame_loop
from dreamer.pipelines.clip_film import ClipMemory
from dreamer.pipelines.feedback_film import FeedbackMemory
from dreamer.pipelines.frame_loop import Carried, FilmPipeline, MemoryStore, pack, play, unpack

Film = FilmPipeline[Any]
LOOKS = {"opacity": 0.8, "saturation": 0.5}
SHORT = {"frames": 6, "fps": 12, "steps": 1}


def panned(photo: Image, cut: int = 99) -> list[Image]:
    """A clip that pans to the right, and is another one from the cut on."""
    moved = [warp(photo, homographies.pan(2 * t, 0), "reflect").clip(0, 1) for t in range(6)]
    other = np.ascontiguousarray(photo[::-1, ::-1]) * np.float32(0.8)
    return [*moved[:cut], *(other for _ in moved[cut:])]


FILMS: dict[str, Callable[[Any, Image], Film]] = {
    "feedback": lambda net, photo: feedback_of(net, photo, **SHORT),
    "feedback by keys": lambda net, photo: feedback_of(net, photo, **SHORT, cadence=3),
    "feedback in average colors": lambda net, photo: feedback_of(
        net, photo, {"layers": ["mixed:1", "relu"]}, **SHORT, colors="average", source=0.3
    ),
    "feedback in a loop": lambda net, photo: feedback_of(
        net, photo, frames=8, fps=2, steps=1, loop=True
    ),
    "clip": lambda net, photo: clip_of(net, panned(photo), {"steps": 1}),
    "clip with a look": lambda net, photo: clip_of(net, panned(photo, 3), {"steps": 1, **LOOKS}),
    "clip without flow": lambda net, photo: clip_of(net, panned(photo), {"steps": 1}, flow=False),
}


@pytest.fixture(scope="module")
def small(photo: Image) -> Image:
    return np.ascontiguousarray(photo[:48, :64])


@pytest.fixture(scope="module")
def made(tiny: Any, small: Image) -> Callable[[str], tuple[Film, "Keeping", list[Stored]]]:
    """A film of a kind, what a store kept of it, and its frames; each is made once."""
    known: dict[str, tuple[Film, Keeping, list[Stored]]] = {}

    def make(kind: str) -> tuple[Film, Keeping, list[Stored]]:
        if kind not in known:
            film = FILMS[kind](tiny, small)
            store = Keeping(film)
            known[kind] = film, store, list(play(film, store))
        return known[kind]

    return make


class Keeping:
    """A store that keeps every key as a file would: arrays, and what JSON holds."""

    def __init__(self, film: Film) -> None:
        self.film, self.kept = film, list[tuple[Stored, dict[str, Any]]]()

    @property
    def count(self) -> int:
        return len(self.kept)

    def append(self, carried: Carried[Any]) -> None:
        self.kept.append((carried.frame.copy(), through_files(pack(carried))))

    def read(self, number: int) -> Stored:
        return self.kept[number][0]

    def last(self) -> Carried[Any]:
        frame, packed = self.kept[-1]
        return unpack(frame, packed, self.film.recall)

    def first(self, count: int) -> "Keeping":
        """A store that holds the first keys alone."""
        other = Keeping(self.film)
        other.kept = self.kept[:count]
        return other


def through_files(packed: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.copy() if isinstance(value, np.ndarray) else json.loads(json.dumps(value))
        for name, value in packed.items()
    }


def assert_same(one: Carried[Any], other: Carried[Any]) -> None:
    """Both carry the same, to the last bit and type."""
    np.testing.assert_array_equal(one.frame, other.frame)
    assert type(one.memory) is type(other.memory)
    assert (one.anchor is None) == (other.anchor is None)
    packed = pack(one), pack(other)
    assert packed[0].keys() == packed[1].keys()
    for name, value in packed[0].items():
        again = packed[1][name]
        assert type(value) is type(again), name
        if isinstance(value, np.ndarray):
            assert value.dtype == again.dtype, name
        np.testing.assert_array_equal(value, again, name)


def test_a_film_has_all_that_the_loop_asks_for(tiny: Any, small: Image) -> None:
    asked = {name for name in vars(FilmPipeline) if not name.startswith("_")}
    assert {"begin", "step", "recall", "frames", "loop", "keys"} <= asked
    for make in FILMS.values():
        film = make(tiny, small)
        for name in asked:
            promised = inspect.getattr_static(FilmPipeline, name)
            given = getattr(film, name)
            if inspect.isfunction(promised):
                wanted = list(inspect.signature(promised).parameters)[1:]
                assert list(inspect.signature(given).parameters) == wanted
        film.check()
        assert film.motion
        assert isinstance(film.needs_length, bool)
        assert film.size == small.shape[:2]


@pytest.mark.parametrize("kind", FILMS)
def test_what_is_carried_comes_back_exactly_and_goes_on_alike(
    kind: str, tiny: Any, small: Image
) -> None:
    film, other = (FILMS[kind](tiny, small) for _ in range(2))
    carried = keys_of(film, 3)
    for number, each in enumerate(carried):
        again = unpack(each.frame, through_files(pack(each)), other.recall)
        assert_same(each, again)
        if number + 1 < len(carried):
            assert_same(other.step(again, number + 1), carried[number + 1])
    anchored = carried[2]._replace(anchor=carried[1].memory)
    assert_same(anchored, unpack(anchored.frame, through_files(pack(anchored)), film.recall))


@pytest.mark.parametrize("kind", FILMS)
def test_a_film_has_as_many_frames_as_it_is_long(kind: str, made: Any, small: Image) -> None:
    film, store, frames = made(kind)
    assert len(frames) == film.film.length
    assert {(frame.shape, frame.dtype) for frame in frames} == {(small.shape, np.dtype("uint16"))}
    warm_up = film.loop.warm_up if film.loop else 0
    assert store.count == film.keys + warm_up
    assert len({frame.tobytes() for frame in frames}) == len(frames)
    around = [frame / np.float32(65535) for frame in (*frames[-3:], *frames[:3])]
    said, figures = film.describe_ending(around, store.last().memory)
    assert all(isinstance(line, str) and line.endswith(".") for line in (*said, *figures))
    assert any("cut at frame 3" in line for line in said) == (kind == "clip with a look")


@pytest.mark.parametrize("kind", FILMS)
def test_a_film_goes_on_from_the_keys_that_a_store_holds(
    kind: str, made: Any, tiny: Any, small: Image
) -> None:
    _, store, frames = made(kind)
    for count in {1, store.count // 2, store.count - 1, store.count}:
        known, dreamt = store.first(count), []
        again = FILMS[kind](tiny, small)
        known.film = again
        played = list(play(again, known, lambda dreamt=dreamt: dreamt.append(1)))
        np.testing.assert_array_equal(played, frames)
        assert len(dreamt) == store.count - count
        assert_same(known.last(), store.last())


@pytest.mark.parametrize("kind", ["feedback by keys", "feedback in a loop", "clip"])
def test_keys_in_memory_make_the_same_film(kind: str, made: Any, tiny: Any, small: Image) -> None:
    _, store, frames = made(kind)
    film = FILMS[kind](tiny, small)
    memory: MemoryStore[Any] = MemoryStore(film.loop)
    np.testing.assert_array_equal(list(play(film, memory)), frames)
    assert memory.count == store.count
    assert_same(memory.last(), store.last())


@pytest.mark.parametrize("kind", ["feedback", "clip"])
def test_a_film_that_is_stopped_is_the_beginning_of_the_whole(
    kind: str, made: Any, tiny: Any, small: Image
) -> None:
    film, _, frames = made(kind)
    store = Keeping(FILMS[kind](tiny, small))
    part = list(play(store.film, store, stopped=lambda: store.count == 3))
    np.testing.assert_array_equal(part, frames[:3])
    np.testing.assert_array_equal(list(play(film, store)), frames)


def test_layers_may_be_called_as_what_is_remembered_beside_them() -> None:
    random = np.random.default_rng(0)
    names = ("pose", "colors", "strength.pose", "memory.colors", "anchor.pose", "strengths")
    strengths = {name: random.random(4, np.float32) for name in names}
    pose = np.eye(3, dtype=np.float32)
    memory, anchor = (
        FeedbackMemory(random.random((2, 3), np.float32), pose, 2 * pose, each)
        for each in (strengths, {name: each * 2 for name, each in strengths.items()})
    )
    carried = Carried(np.zeros((2, 2, 3), np.uint16), memory, anchor)
    again = unpack(carried.frame, through_files(pack(carried)), feedback_recall)
    assert_same(carried, again)
    for one, other in ((memory, again.memory), (anchor, again.anchor)):
        assert one.strengths.keys() == other.strengths.keys() == set(names)
        for name in names:
            np.testing.assert_array_equal(one.strengths[name], other.strengths[name])


def feedback_recall(plain: Mapping[str, Any]) -> FeedbackMemory:
    from dreamer.pipelines.feedback_film import FeedbackFilm

    return FeedbackFilm(None, np.zeros((2, 2, 3), np.float32)).recall(plain)  # type: ignore[arg-type]


def test_a_film_is_made_on_layers_of_such_names(small: Image) -> None:
    keras.utils.set_random_seed(3)
    image = keras.Input((None, None, 3))
    pose = layers.Conv2D(5, 3, 2, "same", activation="relu", name="pose")(image)
    colors = layers.Conv2D(4, 3, 1, "same", activation="relu", name="colors")(pose)
    spec = NetSpec("", "", (), None, 2, -1, ("pose",), 8, {"pose": 6, "colors": 10})
    net = Network("named", spec, lambda: keras.Model(image, colors), "")
    film = feedback_of(net, small, {"layers": ["pose", "colors"]}, **SHORT)
    first, second, third = keys_of(film, 3)
    assert second.memory.pose.shape == (3, 3)
    assert second.memory.colors.shape == first.memory.colors.shape
    assert {name: len(each) for name, each in second.memory.strengths.items()} == {
        "pose": 5,
        "colors": 4,
    }
    again = unpack(second.frame, through_files(pack(second)), film.recall)
    assert_same(again, second)
    assert_same(film.step(again, 2), third)


def test_memories_are_blended_by_shares(tiny: Any, small: Image) -> None:
    first, _, last = (each.memory for each in keys_of(FILMS["feedback"](tiny, small), 3))
    for share, same in ((0.0, first), (1.0, last)):
        mixed = first.blend(last, share)
        np.testing.assert_allclose(mixed.colors, same.colors, rtol=1e-5)
        np.testing.assert_allclose(mixed.pose, same.pose, rtol=1e-5, atol=1e-6)
    cut = ClipMemory(None, None, (3,))
    assert cut.blend(ClipMemory(small, None), 0.5) is cut


def test_a_key_is_never_made_twice(tiny: Any, small: Image) -> None:
    film = FILMS["feedback in a loop"](tiny, small)
    numbers = []

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(film, name)

        def step(self, carried: Carried[Any], number: int) -> Carried[Any]:
            numbers.append(number)
            return film.step(carried, number)

    counting: Any = Counting()
    assert film.loop
    count = len(list(play(counting, Keeping(counting))))
    assert count == film.film.length
    assert len(numbers) == film.keys + film.loop.warm_up - 1
    assert frame_loop.Loop(8, film.loop.blend, film.loop.warm_up) == film.loop
