"""Makes tests/images: small images in every format, and golden.safetensors, what Pillow, torchvision and PyTorch
compute from them.

Needs Pillow, numpy, torch, torchvision and safetensors; the files in the repository were made with Pillow 13.0.0
(libjpeg-turbo 3.2.0), torch 2.13.0 and torchvision 0.28.0. All pixels come from formulas below.
"""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
import torchvision.transforms.functional as F
from PIL import Image, ImageOps
from safetensors.numpy import save_file
from torchvision.transforms import InterpolationMode

HERE = Path(__file__).parent / "images"
HERE.mkdir(exist_ok=True)
golden = {}


def draw_shapes(width, height):
    """Gradients, a disc and thin stripes: smooth and sharp parts in every colour."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    red = 255 * x / (width - 1)
    green = 255 * y / (height - 1)
    blue = np.where((x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2, 230, 30)
    stripes = ((x.astype(int) % 4 == 0) & (y > 0.75 * height)) * 255
    return np.stack([red, np.maximum(green, stripes), blue], 2).round().astype(np.uint8)


def draw_waves(width, height):
    """Smooth waves for lossy formats, whose decoders differ most at edges."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    waves = [np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)]
    return np.stack([(127 + 120 * wave).round() for wave in waves], 2).astype(np.uint8)


def add_golden(name, expected=None):
    if expected is None:
        with Image.open(HERE / name) as image:
            expected = np.array(image.convert("RGB"))
    golden[f"open/{name}"] = np.ascontiguousarray(expected)


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png16(name, colour, samples):
    """Writes a 16-bit PNG; Pillow can't in colour."""
    height, width = samples.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    (HERE / name).write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )


# Lossless formats.
pixels = draw_shapes(61, 43)
colour = Image.fromarray(pixels)
colour.save(HERE / "colour.png")
colour.save(HERE / "colour.bmp")
colour.save(HERE / "lossless.webp", lossless=True)
colour.convert("L").save(HERE / "grey.png")
colour.convert("1").save(HERE / "one_bit.png")
colour.quantize(16).save(HERE / "palette.png")
colour.quantize(64).save(HERE / "palette.bmp")
colour.quantize(32).save(HERE / "plain.gif")
colour.quantize(8).save(HERE / "clear.gif", transparency=3)
colour.quantize(8).save(HERE / "palette_clear.png", transparency=2)
fading = np.linspace(0, 255, 61 * 43).reshape(43, 61).astype(np.uint8)
Image.fromarray(np.dstack([pixels, fading])).save(HERE / "alpha.png")
Image.fromarray(np.dstack([pixels, fading | 1])).save(HERE / "alpha.webp", lossless=True, exact=True)
Image.fromarray(np.dstack([pixels[:, :, 0], fading])).save(HERE / "grey_alpha.png")
others = [Image.fromarray(255 - pixels), Image.fromarray(pixels[::-1].copy())]
colour.quantize(32).save(HERE / "moving.gif", save_all=True, append_images=others)
colour.save(HERE / "moving.webp", lossless=True, save_all=True, append_images=others)
for name in (
    "colour.png colour.bmp lossless.webp grey.png one_bit.png palette.png palette.bmp plain.gif "
    "clear.gif palette_clear.png alpha.png alpha.webp grey_alpha.png moving.gif moving.webp"
).split():
    add_golden(name)
# Of 16-bit colour samples Pillow keeps the high byte; grey ones it clips at 255, so the high byte is taken here.
fine = (pixels.astype(np.uint16) << 8) + pixels[::-1, ::-1]
png16("colour16.png", 2, fine)
png16("grey16.png", 0, fine[:, :, :1])
add_golden("colour16.png")
add_golden("grey16.png", np.repeat(fine[:, :, :1] >> 8, 3, 2).astype(np.uint8))

# Lossy ones.
smooth = Image.fromarray(draw_waves(61, 43))
smooth.save(HERE / "full.jpg", quality=90, subsampling="4:4:4")
smooth.save(HERE / "half.jpg", quality=90, subsampling="4:2:0")
smooth.save(HERE / "progressive.jpg", quality=90, progressive=True)
smooth.convert("L").save(HERE / "grey.jpg", quality=90)
smooth.save(HERE / "lossy.webp", quality=90)
inks = np.dstack([255 - draw_waves(61, 43), draw_waves(61, 43)[::-1, :, 0] // 3])
Image.fromarray(inks, "CMYK").save(HERE / "cmyk.jpg", quality=90)
# The same samples marked as YCCK: wrong colours, but a valid file of that kind.
data = (HERE / "cmyk.jpg").read_bytes()
at = data.index(b"Adobe") + 11
(HERE / "ycck.jpg").write_bytes(data[:at] + b"\x02" + data[at + 1 :])
for name in "full.jpg half.jpg progressive.jpg grey.jpg lossy.webp cmyk.jpg ycck.jpg".split():
    add_golden(name)

# The eight orientations; the test writes the other seven into the file.
exif = Image.Exif()
exif[0x0112] = 6
Image.fromarray(draw_waves(24, 16)).save(HERE / "turned.jpg", quality=95, subsampling="4:4:4", exif=exif)
data = (HERE / "turned.jpg").read_bytes()
entry = bytes.fromhex("011200030000000100")
assert data.count(entry) == 1
at = data.index(entry) + len(entry)
for orientation in range(1, 9):
    turned = data[:at] + bytes([orientation]) + data[at + 1 :]
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(turned)))
    golden[f"orientation/{orientation}"] = np.array(upright)

# Black and white noise overshoots everywhere, so that the result depends on the order of rounding.
noise = np.random.RandomState(7).randint(0, 2, (71, 47, 3)).astype(np.uint8) * 255
Image.fromarray(noise).save(HERE / "noise.png")
for name in ("colour", "noise"):
    image = Image.open(HERE / f"{name}.png")
    for resize, crop in [
        (None, None),
        (20, None),
        (20, 16),
        (20, 19),
        (33, 26),
        (43, 40),
        (64, 57),
        (30, 36),
        (None, 40),
        (None, 58),
        (None, 80),
    ]:
        for interpolation in ("bilinear", "bicubic"):
            if resize is None and interpolation == "bicubic":
                continue
            view = image
            if resize is not None:
                view = F.resize(view, resize, InterpolationMode(interpolation))
            if crop is not None:
                view = F.center_crop(view, crop)
            golden[f"view/{name}/{resize or 0}/{crop or 0}/{interpolation}"] = np.array(view)

golden["normalise/input"] = np.array(colour.crop((20, 10, 29, 17)))
tensor = F.to_tensor(Image.fromarray(golden["normalise/input"]))
golden["normalise/output"] = F.normalize(tensor, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]).numpy()

values = torch.from_numpy(np.random.RandomState(3).randn(5, 7).astype(np.float32))
golden["enlarge/map"] = values.numpy()
for width, height in [(33, 20), (7, 5), (9, 3)]:
    enlarged = torch.nn.functional.interpolate(
        values[None, None], size=(height, width), mode="bilinear", align_corners=False
    )
    golden[f"enlarge/{width}/{height}"] = enlarged[0, 0].numpy()

save_file(golden, HERE / "golden.safetensors")
