"""Makes tests/inputs/: images of all depths and numbers of bands, networks that read them, and what NumPy, Pillow and PyTorch
make of them.

    python3 -m venv target/golden
    target/golden/bin/pip install -r tests/golden-requirements.txt
    target/golden/bin/python tests/make_inputs.py

`expected.safetensors` holds:

- `samples/FILE`: the samples `[bands, height, width]` as a network gets them, from the array that the file was made of;
- `input/FILE/CHANNELS/FILTER/RESIZE/CROP`: the input `[channels, height, width]` with the means and deviations of `normalised`;
- `NETWORK/logits` and `NETWORK/gradient`: for the image `FILE_OF[NETWORK]`, the logits and the gradient of the largest one.
"""

import pathlib

import numpy as np
import tifffile
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torchvision.transforms.functional import center_crop

HERE = pathlib.Path(__file__).parent / "inputs"
HEIGHT, WIDTH = 18, 24
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
expected = {}


def picture(bands, seed):
    """Smooth bands with noise, 0 to 1, `[height, width, bands]`."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH] / WIDTH
    waves = [np.sin(7 * x * (band + 1) + 5 * y) * np.cos(4 * y + band) for band in range(bands)]
    values = 0.5 + 0.35 * np.stack(waves, -1) + 0.1 * random.standard_normal((HEIGHT, WIDTH, bands))
    return np.clip(values, 0, 1)


def bits(values, kind):
    return np.round(values * np.iinfo(kind).max).astype(kind)


def unit(array):
    """Samples as a network gets them."""
    if array.dtype == bool:
        return array.astype(np.float32)
    if np.issubdtype(array.dtype, np.integer):
        # 8 and 16 bits are divided in float32, as torchvision does; wider integers before they are rounded to it.
        wide = np.float32 if array.dtype in (np.uint8, np.uint16) else np.float64
        return (array.astype(wide) / wide(np.iinfo(array.dtype).max)).astype(np.float32)
    return array.astype(np.float32)


def add_samples(name, array):
    array = unit(np.asarray(array))
    array = array[:, :, None] if array.ndim == 2 else array
    expected[f"samples/{name}"] = torch.from_numpy(np.moveaxis(array, -1, 0).copy())


def tiff(name, array, stored=None, **options):
    tifffile.imwrite(HERE / name, array, metadata=None, software=False, **options)
    add_samples(name, array if stored is None else stored)


def npy(name, array):
    np.save(HERE / name, array)
    add_samples(name, array)


def resized(band, size, filter):
    """A band with Pillow: 8 bits with its rounding, others in its mode F."""
    if band.dtype == np.uint8:
        return np.asarray(Image.fromarray(band).resize(size, filter)).astype(np.float32) / np.float32(255)
    return np.asarray(Image.fromarray(unit(band)).resize(size, filter))


def add_input(name, bands, channels, filter, short, crop):
    """`bands`: `[height, width]` each, of the file's type."""
    size = (WIDTH, HEIGHT) if short is None else (int(short * WIDTH / HEIGHT), short)
    planes = [resized(np.ascontiguousarray(band), size, FILTERS[filter]) for band in bands]
    planes = torch.from_numpy(np.stack(planes))
    planes = planes if crop is None else center_crop(planes, [crop, crop])
    mean = torch.tensor([0.4 + 0.05 * channel for channel in range(channels)])
    std = torch.tensor([0.2 + 0.03 * channel for channel in range(channels)])
    assert planes.shape[0] == channels
    key = f"input/{name}/{channels}/{filter}/{short or 0}/{crop or 0}"
    expected[key] = ((planes - mean[:, None, None]) / std[:, None, None]).contiguous()


def luma(array):
    """Pillow's luma of 8-bit colours, and the same of floats."""
    if array.dtype == np.uint8:
        return np.asarray(Image.fromarray(array).convert("L"))
    weights = np.array([0.299, 0.587, 0.114], dtype=np.float32)
    return (unit(array) * weights).sum(-1, dtype=np.float32)


def make_images():
    grey, rgb, rgba, five = (picture(bands, bands) for bands in (1, 3, 4, 5))
    rgb8, rgba8, rgb16, five16 = bits(rgb, np.uint8), bits(rgba, np.uint8), bits(rgb, np.uint16), bits(five, np.uint16)
    grey8, grey16 = bits(grey[..., 0], np.uint8), bits(grey[..., 0], np.uint16)
    five_float = (five * 3 - 0.7).astype(np.float32)

    Image.fromarray(grey8).save(HERE / "grey8.png")
    add_samples("grey8.png", grey8)
    Image.fromarray(grey16).save(HERE / "grey16.png")
    add_samples("grey16.png", grey16)
    Image.fromarray(rgba8).save(HERE / "rgba8.png")
    add_samples("rgba8.png", rgba8)

    tiff("grey8.tif", grey8, photometric="minisblack")
    tiff("white_is_zero.tif", 255 - grey8, grey8, photometric="miniswhite")
    tiff("rgb8_lzw_tiles.tif", rgb8, photometric="rgb", tile=(16, 16), compression="lzw", predictor=2)
    tiff("rgb16_deflate.tif", rgb16, photometric="rgb", compression="zlib", predictor=2, rowsperstrip=7)
    tiff("rgba8.tif", rgba8, photometric="rgb", extrasamples=["unassalpha"], compression="packbits")
    # As GDAL writes multispectral images: three colours and bands of no known meaning.
    more = bits(five, np.uint8)
    tiff("rgb8_and_two.tif", more, photometric="rgb", extrasamples=["unspecified"] * 2, compression="zlib", predictor=2)
    tiff("five16_planes.tif", np.moveaxis(five16, -1, 0), five16, photometric="minisblack", planarconfig="separate", compression="zlib")
    tiff("five16_big_endian.tif", five16, photometric="minisblack", planarconfig="contig", byteorder=">")
    tiff("five_float_tiles.tif", five_float, photometric="minisblack", planarconfig="contig", tile=(16, 16), compression="zlib", predictor=3)
    tiff("float16.tif", grey[..., 0].astype(np.float16), photometric="minisblack")
    tiff("float64.tif", grey[..., 0] * 2 - 1, photometric="minisblack", bigtiff=True)
    tiff("int16.tif", np.round((grey[..., 0] * 2 - 1) * 32767).astype(np.int16), photometric="minisblack")
    tiff("uint32.tif", bits(grey[..., 0], np.uint32), photometric="minisblack")
    turned = np.rot90(grey8)  # counter-clockwise; orientation 6 turns it back
    tiff("turned.tif", turned, grey8, photometric="minisblack", extratags=[(274, 3, 1, 6, True)])
    black_or_white = grey8 > 127
    Image.fromarray(black_or_white).save(HERE / "one_bit.tif")
    add_samples("one_bit.tif", black_or_white)

    npy("grey8.npy", grey8)
    npy("rgb16.npy", rgb16)
    npy("five16_big_endian.npy", five16.astype(">u2"))
    npy("five_float_fortran.npy", np.asfortranarray(five_float))
    npy("float16.npy", grey.astype(np.float16))
    npy("float64.npy", grey[..., 0] * 2 - 1)
    npy("int16.npy", np.round((grey * 2 - 1) * 32767).astype(np.int16))
    npy("uint32.npy", bits(grey, np.uint32))
    npy("bool.npy", black_or_white)

    bands = lambda array: list(np.moveaxis(array, -1, 0))
    add_input("grey8.png", [grey8] * 3, 3, "bicubic", 14, 12)
    add_input("grey8.png", [grey8], 1, "bilinear", 14, 12)
    add_input("grey16.png", [grey16] * 3, 3, "bilinear", 14, 12)
    add_input("grey16.png", [grey16], 1, "bicubic", 28, 25)
    add_input("rgba8.png", bands(rgba8), 4, "bicubic", 14, 12)
    add_input("rgba8.png", bands(rgba8)[:3], 3, "bilinear", 14, 12)
    add_input("rgba8.png", [luma(rgba8[..., :3])], 1, "bilinear", 14, 12)
    add_input("rgb8_lzw_tiles.tif", [luma(rgb8)], 1, "bicubic", 14, 12)
    add_input("rgb16_deflate.tif", bands(rgb16), 3, "bicubic", 14, 12)
    add_input("rgb16_deflate.tif", [luma(rgb16)], 1, "bilinear", 14, 12)
    add_input("five16_planes.tif", bands(five16), 5, "bilinear", 14, 12)
    # A crop larger than the image.
    add_input("five_float_tiles.tif", bands(five_float), 5, "bicubic", 12, 17)
    add_input("five_float_tiles.tif", bands(five_float), 5, "bicubic", None, None)


class Small(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 8, 3, stride=2, padding=1)
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        return self.fc(x.mean((2, 3)))


class Pointwise(nn.Module):
    """Each pixel acts on the logits alone, so that a crop changes the gradient by one factor."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, 6, 1)
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        return self.fc(F.relu(self.conv(x)).mean((2, 3)))


def export(name, net, channels, side):
    example = torch.zeros(2, channels, side, side)
    program = torch.export.export(net.eval(), (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    # Paths of this machine are in the stack traces; the example is large.
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    program.example_inputs = None
    torch.export.save(program, HERE / f"{name}.pt2")


FILE_OF = {"net1": "grey8.png/1/bilinear/14/12", "net4": "rgba8.png/4/bicubic/14/12", "net5": "five16_planes.tif/5/bilinear/14/12"}


def make_networks():
    torch.manual_seed(18)
    for name, image in FILE_OF.items():
        channels = int(name[-1])
        net = Small(channels)
        export(name, net, channels, 12)
        x = expected[f"input/{image}"][None].clone().requires_grad_()
        logits = net(x)
        logits.max().backward()
        expected[f"{name}/logits"] = logits.detach()[0]
        expected[f"{name}/gradient"] = x.grad[0]
    net = Pointwise(5)
    export("pointwise12", net, 5, 12)
    export("pointwise18", net, 5, 18)


HERE.mkdir(exist_ok=True)
make_images()
make_networks()
save_file(expected, HERE / "expected.safetensors")
