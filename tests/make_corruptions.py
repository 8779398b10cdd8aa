"""Makes tests/corruptions: a small picture, and what the functions of ImageNet-C make of it.

    python3 -m venv target/golden
    target/golden/bin/pip install numpy pillow scipy scikit-image opencv-python-headless
    target/golden/bin/python tests/make_corruptions.py

The functions are written from the paper (Hendrycks & Dietterich 2019) and its parameters, for pictures of any size, with the packages
that ImageNet-C uses. Where a corruption is random, `statistics.json` has the mean and the standard deviation of its levels on
plain grey pictures, and for fog and glass the mean change of the picture over many draws.
"""

import io
import json
import pathlib

import cv2
import numpy as np
from PIL import Image
from scipy.ndimage import zoom as scipy_zoom
from skimage.color import hsv2rgb, rgb2hsv
from skimage.filters import gaussian
from skimage.util import random_noise

folder = pathlib.Path(__file__).parent / "corruptions"
random = np.random.default_rng(5)
WIDTH, HEIGHT = 40, 34
GREYS = [30, 128, 220]


def picture():
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    red = 40 + 190 * (x > 14) * (y > 9)
    green = 120 + 100 * np.sin(x / 3.0) * np.cos(y / 4.0)
    blue = 255 * ((x + y) % 7 < 3)
    levels = np.stack([red, green, blue], 2) + random.normal(0, 9, (HEIGHT, WIDTH, 3))
    levels[:4, :6] = 0
    levels[-4:, -6:] = 255
    return np.clip(levels, 0, 255).astype(np.uint8)


def finish(values):
    return np.uint8(np.clip(values, 0, 1) * 255)


def gaussian_noise(x, s):
    return finish(x / 255.0 + random.normal(size=x.shape, scale=[0.08, 0.12, 0.18, 0.26, 0.38][s]))


def shot_noise(x, s):
    c = [60, 25, 12, 5, 3][s]
    return finish(random.poisson(x / 255.0 * c) / c)


def impulse_noise(x, s):
    return finish(random_noise(x / 255.0, mode="s&p", amount=[0.03, 0.06, 0.09, 0.17, 0.27][s], rng=random))


def defocus_blur(x, s):
    radius, deviation = [(3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)][s]
    reach, side = (8, 3) if radius <= 8 else (radius, 5)
    line = np.arange(-reach, reach + 1)
    disk = np.array(line[:, None] ** 2 + line[None] ** 2 <= radius**2, dtype=np.float32)
    disk = cv2.GaussianBlur(disk / disk.sum(), ksize=(side, side), sigmaX=deviation)
    return finish(np.stack([cv2.filter2D(x[:, :, d] / 255.0, -1, disk) for d in range(3)], 2))


def glass_blur(x, s):
    deviation, farthest, times = [(0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)][s]
    x = np.uint8(gaussian(x / 255.0, sigma=deviation, channel_axis=2) * 255)
    for _ in range(times):
        for h in range(x.shape[0] - farthest, farthest, -1):
            for w in range(x.shape[1] - farthest, farthest, -1):
                dx, dy = random.integers(-farthest, farthest, size=2)
                # The tuple assignment of ImageNet-C, on views of one array.
                x[h, w], x[h + dy, w + dx] = x[h + dy, w + dx], x[h, w]
    return finish(gaussian(x / 255.0, sigma=deviation, channel_axis=2))


def enlarged(x, zoom):
    sides = [int(np.ceil(side / zoom)) for side in x.shape[:2]]
    top, left = [(side - own) // 2 for side, own in zip(x.shape, sides)]
    part = x[top : top + sides[0], left : left + sides[1]]
    part = scipy_zoom(part, (zoom, zoom, 1), order=1)
    top, left = [(own - side) // 2 for side, own in zip(x.shape[:2], part.shape)]
    return part[top : top + x.shape[0], left : left + x.shape[1]]


def zoom_blur(x, s):
    zooms = [(1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)][s]
    zooms = np.arange(1, *zooms)
    x = (x / 255.0).astype(np.float32)
    total = np.zeros_like(x)
    for zoom in zooms:
        total += enlarged(x, zoom)
    return finish((x + total) / (len(zooms) + 1))


def cloud(side, decay):
    heights = np.zeros((side, side))
    step, wibble = side, 100

    def wibbled(total):
        return total / 4 + wibble * random.uniform(-wibble, wibble, total.shape)

    while step >= 2:
        half = step // 2
        corners = heights[0:side:step, 0:side:step]
        total = corners + np.roll(corners, -1, 0)
        total = total + np.roll(total, -1, 1)
        heights[half:side:step, half:side:step] = wibbled(total)
        middle = heights[half:side:step, half:side:step]
        heights[0:side:step, half:side:step] = wibbled(middle + np.roll(middle, 1, 0) + corners + np.roll(corners, -1, 1))
        heights[half:side:step, 0:side:step] = wibbled(middle + np.roll(middle, 1, 1) + corners + np.roll(corners, -1, 0))
        step, wibble = half, wibble / decay
    heights -= heights.min()
    return heights / heights.max()


def fog(x, s):
    strength, decay = [(1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)][s]
    x = x / 255.0
    most = x.max()
    x = x + strength * cloud(256, decay)[: x.shape[0], : x.shape[1], None]
    return finish(x * most / (most + strength))


def brightness(x, s):
    hsv = rgb2hsv(x / 255.0)
    hsv[:, :, 2] = np.clip(hsv[:, :, 2] + [0.1, 0.2, 0.3, 0.4, 0.5][s], 0, 1)
    return finish(hsv2rgb(hsv))


def contrast(x, s):
    x = x / 255.0
    means = x.mean(axis=(0, 1), keepdims=True)
    return finish((x - means) * [0.4, 0.3, 0.2, 0.1, 0.05][s] + means)


def pixelate(x, s):
    share = [0.6, 0.5, 0.4, 0.3, 0.25][s]
    small = Image.fromarray(x).resize((int(x.shape[1] * share), int(x.shape[0] * share)), Image.Resampling.BOX)
    return np.asarray(small.resize(x.shape[1::-1], Image.Resampling.BOX))


def jpeg_compression(x, s):
    file = io.BytesIO()
    Image.fromarray(x).save(file, "JPEG", quality=[25, 18, 15, 10, 7][s])
    return np.asarray(Image.open(file))


folder.mkdir(exist_ok=True)
original = picture()
Image.fromarray(original).save(folder / "picture.png", optimize=True)
for corrupt in [defocus_blur, zoom_blur, brightness, contrast, pixelate, jpeg_compression]:
    stack = np.concatenate([corrupt(original, severity) for severity in range(5)])
    Image.fromarray(stack).save(folder / f"{corrupt.__name__}.png", optimize=True)

statistics = {}
for corrupt in [gaussian_noise, shot_noise, impulse_noise]:
    statistics[corrupt.__name__] = []
    for severity in range(5):
        row = []
        for grey in GREYS:
            levels = corrupt(np.full((400, 400, 3), grey, np.uint8), severity)
            row.append([float(levels.mean()), float(levels.std())])
        statistics[corrupt.__name__].append(row)
for corrupt, draws in [(glass_blur, 60), (fog, 300)]:
    changes = []
    for severity in range(5):
        change = [np.abs(corrupt(original, severity).astype(float) - original).mean() for _ in range(draws)]
        changes.append([float(np.mean(change)), float(np.std(change))])
    statistics[corrupt.__name__] = changes
(folder / "statistics.json").write_text(json.dumps({"greys": GREYS, **statistics}, indent=1) + "\n")
