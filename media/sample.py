"""Render sample.jpg, the landscape that stands in for a photograph.

    python media/sample.py

Everything grows from a few seeds: mountains raised by uplift and cut by rivers,
clouds, a wooded point, a stony shore, and the lake that mirrors them.
Lengths are meters; x points right, y up and z into the picture.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from scipy import fft, ndimage

Array = np.ndarray
Rng = np.random.Generator

SCALE = 2  # supersampling, averaged away by develop()
W, H = 1280 * SCALE, 853 * SCALE
FOCAL, HORIZON, EYE = 1.05 * W, int(0.57 * H), 4.0
ROWS, COLS = np.arange(H) + 0.5 - HORIZON, (np.arange(W) + 0.5 - W / 2) / FOCAL
SUN = np.array([-0.80, 0.46, -0.38]) / np.linalg.norm([-0.80, 0.46, -0.38])
SUNLIGHT, SKYLIGHT = np.array([3.3, 2.75, 2.1]), np.array([0.36, 0.48, 0.72])
HAZE = np.array([0.50, 0.62, 0.80])


class Field(NamedTuple):
    """A square of lit ground, and the depths at which to look for it."""

    height: Array
    color: Array
    x0: float
    z0: float
    cell: float
    span: tuple[float, float, int]

    def sample(self, grid: Array, x: Array, z: Array) -> Array:
        at = [(z - self.z0) / self.cell, (x - self.x0) / self.cell]
        return ndimage.map_coordinates(grid, at, order=1, mode="nearest")


def noise(rng: Rng, shape: tuple[int, ...], falloff: float, low: float = 1) -> Array:
    """Tileable noise with a power-law spectrum above `low` cycles per tile."""
    axes = [np.fft.fftfreq(n) * n for n in shape[:-1]] + [np.arange(shape[-1] // 2 + 1)]
    freq = np.sqrt(sum(a**2 for a in np.meshgrid(*axes, indexing="ij", sparse=True)))
    gain = np.where(freq >= low, np.maximum(freq, 1) ** -falloff, 0)
    field = fft.irfftn(fft.rfftn(rng.standard_normal(shape)) * gain, shape)
    return (field / field.std()).astype(np.float32)


def tiled(texture: Array, *at: Array) -> Array:
    return ndimage.map_coordinates(texture, at, order=1, mode="grid-wrap")


def smooth(x: Array, low: float, high: float) -> Array:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a: Array, b: Array | list[float], t: Array) -> Array:
    return a + (b - a) * t[..., None]


def plane(n: int, size: float, x0: float, z0: float) -> tuple[Array, Array]:
    z, x = np.mgrid[0:n, 0:n] * (size / n)
    return x + x0, z + z0


def erode(h: Array, uplift: Array, cell: float, rng: Rng) -> Array:
    """One implicit step of uplift against river incision and rock fall.

    Steepest descents join into a forest. The area drained and the new heights
    are both sums along its paths, so doubling the stride of every path at each
    turn finishes them in a logarithmic number of array operations.
    """
    n, index = h.size, np.arange(h.size).reshape(h.shape)
    steepest, run, down = np.zeros_like(h), np.ones_like(h), np.full_like(index, n)
    for step in [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]:
        length = cell * np.hypot(*step)
        # The jitter hides the eight directions of the grid.
        fall = (h - np.roll(h, step, (0, 1))) / length * rng.uniform(0.7, 1.3, h.shape)
        better = fall > steepest
        steepest[better], run[better] = fall[better], length
        down[better] = np.roll(index, step, (0, 1))[better]
    down, run, land = np.append(down, n), run.ravel(), (uplift > 0).ravel()  # n: nowhere lower
    strides = range(int(np.log2(len(h))) + 2)

    area, to = np.append(np.full(n, cell**2), 0.0), down
    for _ in strides:
        area += np.bincount(to, area, n + 1)
        area[n], to = 0, to[to]
    pull = 0.05 * area[:n] ** 0.45 / run * (down[:n] < n)
    base = np.append((h + uplift).ravel() / (1 + pull) * land, 0)
    share, to = np.append(pull / (1 + pull) * land, 0), down
    for _ in strides:
        base, share, to = base + share * base[to], share * share[to], to[to]
    cliff = np.where(down[:n] < n, base[down[:n]] + 1.5 * run, np.inf)
    return np.minimum(base[:n], cliff).reshape(h.shape)


def shade(height: Array, albedo: Array, cell: float, sunlight: Array | float = 1.0) -> Array:
    """Light ground by sun, with cast shadows, and by sky, with occlusion."""
    gz, gx = np.gradient(height, cell)
    upright = 1 / np.sqrt(1 + gx**2 + gz**2)
    flat, edge = np.hypot(SUN[0], SUN[2]), height
    for reach in 2.0 ** np.arange(10):
        away = (-reach * SUN[2] / flat, -reach * SUN[0] / flat)
        ahead = ndimage.shift(edge, away, order=1, mode="nearest")
        edge = np.maximum(edge, ahead - reach * cell * SUN[1] / flat)
    facing = np.clip((SUN[1] - gx * SUN[0] - gz * SUN[2]) * upright, 0, 1)
    sun = facing * smooth(edge - height, 1.5 * cell, 0) * sunlight
    hollow = sum(ndimage.gaussian_filter(height, s) - height for s in (2, 8, 32)) / (30 * cell)
    sky = (0.6 + 0.4 * upright) * np.exp(-np.clip(hollow, -0.5, 2))
    light = sun[..., None] * SUNLIGHT + sky[..., None] * SKYLIGHT
    return (albedo * light).astype(np.float32)


def mountains(rng: Rng) -> Field:
    n, size, x0, z0 = 2048, 12000.0, -6000.0, 1500.0
    x, z = plane(n, size, x0, z0)
    bend = noise(rng, (n, n), 2.0)
    shore = z - 2900 - 350 * bend + 1000 * np.exp(-(((np.abs(x) - 1500) / 500) ** 2))
    valley = np.exp(-(((x - 900 - 0.1 * z - 250 * bend) / 700) ** 2)) * smooth(z, 9500, 5000)
    peaks = np.exp(-(((x + 1100) / 1300) ** 2) - ((z - 7600) / 1300) ** 2)
    peaks += 0.75 * np.exp(-(((x - 2900) / 1200) ** 2) - ((z - 8200) / 1300) ** 2)
    uplift = 0.4 + 0.8 * peaks + 0.3 * smooth(z, 4000, 9000) + 0.22 * noise(rng, (n, n), 1.8, 2)
    uplift = np.maximum(uplift, 0.1) * (1 - 0.8 * valley) * smooth(shore, -150, 1500) * (shore > 0)
    h = np.zeros((128, 128))
    for grid, steps in ((256, 140), (512, 40), (1024, 14)):  # coarse valleys first, then gullies
        h = ndimage.zoom(h, 2, order=1, mode="grid-wrap", grid_mode=True)
        h = np.abs(h + rng.normal(0, 3, h.shape))
        for _ in range(steps):
            h = erode(h, 11 * uplift[:: n // grid, :: n // grid], size / grid, rng)
    h = ndimage.zoom(ndimage.gaussian_filter(h, 0.6), 2, order=1, mode="grid-wrap", grid_mode=True)
    h *= 1900 / h.max()
    slope = np.hypot(*np.gradient(ndimage.gaussian_filter(h, 1.5), size / n))
    rough, patch = noise(rng, (n, n), 1.25, 16), noise(rng, (n, n), 1.6, 6)
    h += (7 * rough - 12 * np.abs(rough)) * smooth(slope, 0.3, 1.2) + 1.5 * rough * smooth(h, 0, 60)
    h[shore < 0] = -5

    strata = np.sin((h + 0.15 * x + 25 * patch) / 14)
    rock = (1 + 0.12 * strata + 0.2 * rough)[..., None] * [0.19, 0.173, 0.16]
    meadow = smooth(slope + 0.15 * patch, 1.15, 0.75) * smooth(h + 150 * patch, 1250, 800)
    albedo = mix(rock, [0.15, 0.14, 0.05], meadow)
    wood = smooth(slope + 0.15 * patch + h / 900, 1.95, 1.6) * (shore > 10)
    tree = wood * rng.random((n, n)) > 0.3
    h += tree * rng.uniform(6, 16, (n, n))
    larch = smooth(rng.random((n, n)) + 0.25 * patch, 1.0, 1.02)
    leaf = mix(np.array([0.03, 0.052, 0.024]), [0.22, 0.12, 0.025], larch)
    albedo = mix(albedo, leaf * rng.uniform(0.7, 1.3, (n, n, 1)), tree)
    snow = smooth(h + 120 * patch + 90 * rough - 560 * slope, 260, 420)
    albedo = mix(albedo, [0.80, 0.83, 0.88], snow)
    clouded = 0.25 + 0.75 * smooth(noise(rng, (n, n), 2.2, 3), -0.9, 0.1)
    lit = shade(h, albedo, size / n, clouded)
    return Field(h, lit, x0, z0, size / n, (1510, 13400, 1400))


def stony(rng: Rng, h: Array, cell: float, count: int, small: float, large: float) -> Array:
    """Drop stones on the ground, in place, and return the color of it all."""
    n, tone = len(h), np.ones_like(h)
    lumps, patch = noise(rng, (n, n), 1.7, 8), noise(rng, (n, n), 1.5, 4)
    for radius in np.sort(small * (large / small) ** (rng.random(count) ** 4)):
        r = int(1.7 * radius / cell) + 1
        i, j = rng.integers(r, n - r, 2)
        box = np.s_[i - r : i + r + 1, j - r : j + r + 1]
        v, u = np.mgrid[-r : r + 1, -r : r + 1] * (cell / radius)
        top = 0.75 - 0.5 * (u**2 + v**2)
        for turn in rng.uniform(0, 2 * np.pi, 7):  # planes cut blocks from a dome, as frost does
            tilt, size = rng.uniform(0.1, 1.8), rng.uniform(0.5, 0.75)
            cut = size + tilt * (0.35 - u * np.cos(turn) - v * np.sin(turn))
            top = np.minimum(top, cut)
        top = h[i, j] + radius * (top - 0.2 + 0.1 * lumps[box])
        over = top > h[box]
        h[box][over], tone[box][over] = top[over], rng.uniform(0.6, 1.35)
    stone = mix(np.array([0.20, 0.185, 0.165]), [0.24, 0.17, 0.11], smooth(patch, 0, 2))
    steep = np.hypot(*np.gradient(h, cell))
    moss = smooth(h + 0.15 * patch + 0.1 * lumps - 0.15 * steep, 0.62, 0.95)
    wet = smooth(h + 0.02 * patch, 0.12, 0.03)
    albedo = mix(stone * tone[..., None], [0.115, 0.115, 0.04], 0.85 * moss)
    return shade(h, albedo * (1 - 0.55 * wet[..., None]), cell)


def point(rng: Rng) -> Field:
    n, size, x0, z0 = 1024, 200.0, 0.0, 130.0
    x, z = plane(n, size, x0, z0)
    far = np.hypot((x - 105) / 60, (z - 225) / 28) + 0.13 * noise(rng, (n, n), 1.9, 2)
    h = 5 * np.clip(1 - far, -0.5, 1) + 0.15 * noise(rng, (n, n), 1.6, 8)
    color = stony(rng, h, size / n, 1500, 0.4, 2.5)
    return Field(h, color, x0, z0, size / n, (135, 320, 700))


def beach(rng: Rng) -> Field:
    n, size, x0, z0 = 2048, 48.0, -24.0, 7.0
    x, z = plane(n, size, x0, z0)
    h = 0.085 * (18 - 0.35 * x + 1.6 * noise(rng, (n, n), 2.0) - z)
    h += 0.03 * noise(rng, (n, n), 1.6, 4)
    color = stony(rng, h, size / n, 14000, 0.05, 1.1)
    return Field(h, color, x0, z0, size / n, (7.5, 54, 900))


def sky(rng: Rng) -> Array:
    """Cumulus marched through a slab of noise, over a gradient; NaN below the horizon."""
    step = 3  # clouds are soft enough for fewer pixels
    up = np.maximum(-ROWS[:HORIZON:step, None] / FOCAL, 0.03)
    across, up = np.broadcast_arrays(COLS[::step], up)
    coarse, fine = noise(rng, (96, 96, 96), 2.5, 2), noise(rng, (128, 128, 128), 2.3, 5)
    base, top, steps = 2100.0, 3900.0, 80

    def density(x: Array, y: Array, z: Array) -> Array:
        rise = (y - base) / (top - base)
        d = tiled(coarse, x / 110, y / 110, z / 110)
        d = d - 0.6 * np.abs(tiled(fine, x / 30, y / 30, z / 30)) - 0.3 - 1.1 * rise
        return np.clip(d * 4, 0, 1) * smooth(rise, 0, 0.07)

    stride = np.maximum(np.minimum(top / up, 42000) - base / up, 0) / steps
    dither = rng.random(up.shape)
    light, clear = np.zeros((*up.shape, 3)), np.ones(up.shape)
    for i in range(steps):
        z = base / up + (i + dither) * stride
        d = density(across * z, up * z, z)
        on = (d > 0) & (clear > 0.01)
        d, z = d[on], z[on]
        x, y = across[on] * z, up[on] * z
        reach = ((60, 120), (200, 200), (500, 400))  # how far sunwards, and for what length
        ahead = sum(w * density(*np.add([x, y, z], s * SUN[:, None])) for s, w in reach)
        glow = 0.8 * np.exp(-0.006 * ahead) + 0.2 * np.exp(-0.0012 * ahead)
        soft = 0.34 + 0.5 * (y - base) / (top - base)
        color = glow[:, None] * SUNLIGHT * 0.52 + soft[:, None] * SKYLIGHT
        color = mix(HAZE * 1.15, color, np.exp(-z / 30000))
        alpha = 1 - np.exp(-0.010 * d * stride[on])
        light[on] += (clear[on] * alpha)[:, None] * color
        clear[on] *= 1 - alpha

    cloud = np.dstack([light, clear])
    cloud = ndimage.gaussian_filter(cloud, (0.6, 0.6, 0))
    cloud = ndimage.zoom(cloud, (HORIZON / len(up), W / up.shape[1], 1), order=1)
    rise = np.clip(-ROWS[:HORIZON, None] / HORIZON + 0.12 * (COLS + 0.2), 0, 1)
    blue = mix(np.array([0.86, 0.80, 0.72]), [0.42, 0.60, 0.86], smooth(rise, -0.1, 0.45))
    blue = mix(blue, [0.10, 0.23, 0.52], smooth(rise, 0.2, 1.15))
    image = np.full((H, W, 3), np.nan, np.float32)
    image[:HORIZON] = cloud[..., :3] + cloud[..., 3:] * blue
    return image


def trace(field: Field, eye: float, floor: float = 0.0) -> Array:
    """Depth at which each pixel's view ray first meets ground above `floor`."""
    z = np.geomspace(*field.span)
    y = field.sample(field.height, z[:, None] * COLS, z[:, None] + 0 * COLS)
    row = np.where(y > floor, -FOCAL * (y - eye) / z[:, None], 1e9)
    top = np.minimum.accumulate(row, axis=0)
    depth = np.full((H, W), np.inf)
    for c in range(W):
        j = np.minimum(np.searchsorted(-top[:, c], -ROWS), len(z) - 1)
        i = np.maximum(j - 1, 0)
        part = (row[i, c] - ROWS) / np.maximum(row[i, c] - row[j, c], 1e-6)
        hit = (row[j, c] <= ROWS) & (ROWS * z[j] < FOCAL * (eye - floor))
        depth[hit, c] = (z[i] + (z[j] - z[i]) * np.clip(part, 0, 1))[hit]
    return depth


def paint(image: Array, field: Field, depth: Array, grain: Array) -> None:
    """Draw what `trace` found, behind blue air that thins with height."""
    r, c = np.nonzero(np.isfinite(depth))
    z = depth[r, c]
    x, y = z * COLS[c], -ROWS[r] * z / FOCAL
    # y + z grows up the picture on walls and floors alike, so nothing smears.
    fine = 1 + 0.2 * tiled(grain, (y + z) * 3 / field.cell, x * 3 / field.cell)
    air = z / 26000 * np.exp(-np.maximum(y, 0) / 2200)
    for k, blueness in enumerate((1.0, 1.25, 1.7)):
        clear = np.exp(-air * blueness)
        ground = field.sample(field.color[..., k], x, z) * fine
        image[r, c, k] = ground * clear + HAZE[k] * (1 - clear)


def plant(image: Array, field: Field, eye: float) -> None:
    """Draw spruces and larches on the dry ground of a field, the far ones first."""
    rng, layer = np.random.default_rng(5), Image.new("RGB", (W, H))
    pen = ImageDraw.Draw(layer)
    for z in np.sort(rng.uniform(field.z0, field.z0 + 200, 1100))[::-1]:
        x, luck = rng.uniform(field.x0, field.x0 + 200), rng.random()
        y = field.sample(field.height, np.array([x]), np.array([z]))[0]
        size = (4 + 17 * luck**1.5) * smooth(y, 0.4, 3) * FOCAL / z
        if size * z < 3 * FOCAL:
            continue
        stem, foot = W / 2 + x * FOCAL / z, HORIZON - (y - eye) * FOCAL / z
        phase, autumn = rng.uniform(0, 7), rng.random() < 0.15
        hue = rng.normal([46, 54, 42], 4) + autumn * np.array([50, 18, -10])
        pen.line((stem, foot, stem, foot - size), (38, 32, 28), max(1, int(size / 60)))
        for t in np.sort(rng.random(int(90 + size / 2)))[::-1]:
            side = rng.uniform(-1, 1)
            out = size * side * (0.015 + 0.17 * t**0.8) * (0.75 + 0.25 * np.sin(45 * t + phase))
            top, thick = foot - size * (1 - 0.93 * t), 0.016 * size
            tip = top + abs(out) * rng.uniform(0.15, 0.6)
            tone = (0.75 - 0.6 * side) * rng.uniform(0.6, 1.2)  # the sun is on the left
            above, below = (stem, top - thick), (stem, top + thick)
            bough = (above, (stem + out, tip), (stem + out / 2, tip + thick), below)
            pen.polygon(bough, tuple(np.clip(hue * tone + 12, 0, 255).astype(int)))
    drawn = np.asarray(layer, np.float32) / 255
    image[drawn.any(-1)] = 2 * drawn[drawn.any(-1)] ** 2.2


def scene(eye: float, backdrop: Array, fields: list[Field], grain: Array) -> Array:
    """The world above the water; a negative eye sees the one mirrored in it."""
    image, (_, wood, _) = backdrop.copy(), fields
    for field in fields:
        paint(image, field, trace(field, eye), grain)
        if field is wood:
            plant(image, field, eye)
    return image


def water(rng: Rng, mirror: Array, shore: Field, grain: Array) -> Array:
    """The lake below the horizon: its bed shows through, the world reflects."""
    rows = ROWS[HORIZON:, None]
    z = np.broadcast_to(EYE * FOCAL / rows, (len(rows), W))
    x = z * COLS
    slopes = np.gradient(noise(rng, (1024, 1024), 1.6, 10))
    wind = 0.12 + smooth(tiled(noise(rng, (512, 512), 1.6, 2), z / 1.3, x / 0.6), 0, 2.2)
    tilt = np.zeros((2, *z.shape))
    for tile, turn in ((7.0, 0.3), (23.0, -0.4), (90.0, 0.1)):
        along, beside = z * np.cos(turn) + x * np.sin(turn), x * np.cos(turn) - z * np.sin(turn)
        # Waves too small for their pixels would only alias.
        seen = 0.048 / (1 + (z**2 / (FOCAL * EYE) * 40 / tile) ** 2)
        for k in (0, 1):
            tilt[k] += seen * wind * tiled(slopes[k], along * 1024 / tile, beside * 600 / tile)
    tilt[0] += rng.normal(0, 0.002, z.shape) * wind
    # No reflected ray can pass below the far shore.
    lift = np.maximum(np.abs(rows + 2 * FOCAL * tilt[0]), FOCAL * EYE / 1800)
    at = [HORIZON - lift, np.arange(W) + 0.7 * FOCAL * tilt[1]]
    reflected = [
        ndimage.map_coordinates(mirror[..., k], at, order=1, mode="nearest") for k in range(3)
    ]

    bed, depth = np.zeros((H, W, 3), np.float32), trace(shore, EYE, -9.0)
    paint(bed, shore, depth, grain)
    depth = np.where(np.isfinite(depth), depth, shore.span[1])[HORIZON:]
    sunk = np.maximum(rows * depth / FOCAL - EYE, 0)
    through = np.exp(-sunk[..., None] * [2.6, 1.25, 1.15])
    inside = bed[HORIZON:] * through * 0.85 + [0.012, 0.055, 0.06] * (1 - through)
    facing = np.clip(EYE / np.hypot(z, EYE) + tilt[0], 0, 1)
    return mix(inside, np.stack(reflected, -1), 0.02 + 0.98 * (1 - facing) ** 5)


def develop(rng: Rng, light: Array) -> Image.Image:
    """Vignette, tone curve and grain."""
    v, u = np.mgrid[-1 : 1 : H * 1j, -1 : 1 : W * 1j]
    light = light * (1 - 0.10 * (u**2 + v**2))[..., None]
    small = light.reshape(H // SCALE, SCALE, W // SCALE, SCALE, 3).mean((1, 3))
    tone = (1 - np.exp(-1.25 * small)) ** (1 / 2.2)
    tone += 0.06 * np.sin(2 * np.pi * (tone - 0.5)) + rng.normal(0, 0.006, (*tone.shape[:2], 1))
    return Image.fromarray((np.clip(tone, 0, 1) * 255).round().astype(np.uint8))


def main() -> None:
    # A seed each, so that retouching one part leaves the others alone.
    seeded = np.random.default_rng
    fields = [mountains(seeded(7)), point(seeded(8)), beach(seeded(9))]
    backdrop, grain = sky(seeded(17)), noise(seeded(11), (1024, 1024), 0.8, 20)
    image = scene(EYE, backdrop, fields, grain)
    lake = water(seeded(12), scene(-EYE, backdrop, fields, grain), fields[2], grain)
    image[HORIZON:] = np.where(np.isnan(image[HORIZON:]), lake, image[HORIZON:])
    develop(seeded(13), image).save(Path(__file__).with_suffix(".jpg"), quality=92)


if __name__ == "__main__":
    main()
