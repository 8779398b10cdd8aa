"""Makes tests/exported/: small networks as `torch.export.save` writes them, and what PyTorch computes with them.

    python3 -m venv target/golden
    target/golden/bin/pip install -r tests/golden-requirements.txt
    target/golden/bin/python tests/make_exported.py

    target/old/bin/pip install torch==2.5.1 safetensors "numpy<2"
    target/old/bin/python tests/make_exported.py --old

Each network has all parameters and statistics drawn at normal scale. `expected.safetensors` holds, by the network's name: the
logits of three images, `NAME/logits`, and the gradient of the first logit of the first image with respect to it,
`NAME/gradient`. The images are sin(0.37 · index) over all their values.

`others/` has files that are no exported programs, and those that older versions wrote: `torch_2_5.pt2` is from PyTorch 2.5.1, the
other two are `windows.pt2` with its weights pickled as PyTorch 2.8 does, all in one (`pickled.pt2`) or one by one
(`use_pickle.pt2`).
"""

import io
import json
import pathlib
import sys
import zipfile

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

FOLDER = pathlib.Path(__file__).parent / "exported"


class Residual(nn.Module):
    """A residual block with a projection, squeeze-and-excitation, and ReLUs in place."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.fc1 = nn.Conv2d(outputs, 2, 1)
        self.fc2 = nn.Conv2d(2, outputs, 1)
        self.downsample = nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x):
        y = self.conv2(self.relu(self.bn1(self.conv1(x))))
        gate = torch.sigmoid(self.fc2(F.silu(self.fc1(y.mean((2, 3), keepdim=True)))))
        y = gate * y
        y += self.downsample(x)
        return self.relu(y)


class Convolutional(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.blocks = nn.Sequential(Residual(8, 8, 1), Residual(8, 12, 2))
        self.drop = nn.Dropout(0.2)
        self.fc = nn.Linear(12, 5)

    def forward(self, x):
        x = self.blocks(self.pool(self.stem(x)))
        return self.fc(self.drop(F.adaptive_avg_pool2d(x, 1).flatten(1)))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def attention(self, x):
        n, count, width = x.shape
        qkv = self.qkv(x).reshape(n, count, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        x = F.scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).reshape(n, count, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Transformer(nn.Module):
    """Patches of 8 × 8, a class token and a position embedding."""

    def __init__(self):
        super().__init__()
        self.patch_embed = nn.Conv2d(3, 8, 8, 8)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 8))
        self.pos_embed = nn.Parameter(torch.zeros(1, 17, 8))
        self.blocks = nn.Sequential(Block(8, 2), Block(8, 2))
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], 1) + self.pos_embed
        return self.head(self.norm(self.blocks(x))[:, 0])


class Windows(nn.Module):
    """Attention in windows of 4 × 4, once shifted, with a bias by an index, and patches merged in between."""

    def __init__(self):
        super().__init__()
        self.patch_embed = nn.Conv2d(3, 8, 4, 4)
        self.block1, self.block2 = Block(8, 2), Block(16, 2)
        self.reduction = nn.Linear(32, 16)
        self.table = nn.Parameter(torch.zeros(16, 8))
        self.register_buffer("index", torch.arange(15, -1, -1))
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 5)

    def windows(self, x, block, shift, bias=None):
        n, height, width, channels = x.shape
        x = torch.roll(x, (-shift, -shift), (1, 2))
        x = x.view(n, height // 4, 4, width // 4, 4, channels).permute(0, 1, 3, 2, 4, 5)
        x = x.reshape(-1, 16, channels)
        x = block(x if bias is None else x + bias)
        x = x.view(n, height // 4, width // 4, 4, 4, channels).permute(0, 1, 3, 2, 4, 5)
        return torch.roll(x.reshape(n, height, width, channels), (shift, shift), (1, 2))

    def forward(self, x):
        x = self.patch_embed(x).permute(0, 2, 3, 1)
        x = self.windows(x, self.block1, 2, self.table[self.index])
        n, height, width, channels = x.shape
        x = x.reshape(n, height // 2, 2, width // 2, 2, channels).permute(0, 1, 3, 4, 2, 5).flatten(3)
        x = self.windows(self.reduction(x), self.block2, 0)
        return self.head(self.norm(x).mean((1, 2)))


def without_sources(path):
    """Removes the places in source files from a TorchScript archive: they are paths of this machine."""
    with zipfile.ZipFile(path) as archive:
        entries = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries:
            if not name.endswith(".debug_pkl"):
                archive.writestr(zipfile.ZipInfo(name), content)


def redraw(network, seed):
    """Draws every parameter and statistic at normal scale."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in list(network.named_parameters()) + list(network.named_buffers()):
        if not value.is_floating_point():
            continue
        fan_in = value[0].numel() if value.dim() > 1 else 1
        drawn = torch.randn(value.shape, generator=generator) / fan_in**0.5
        if name.endswith("running_var"):
            drawn = drawn.abs() + 0.5
        elif value.dim() == 1 and name.endswith("weight"):
            drawn = 1 + 0.3 * drawn
        value.data.copy_(drawn)


def export(network):
    batch = {0: torch.export.Dim.DYNAMIC if hasattr(torch.export.Dim, "DYNAMIC") else torch.export.Dim("batch", min=1)}
    program = torch.export.export(network, (torch.zeros(2, 3, 32, 32),), dynamic_shapes=(batch,))
    # Paths of this machine are in the stack traces.
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    return program


def old():
    """Writes a file with an old version of PyTorch."""
    network = Windows()
    redraw(network, 2)
    torch.export.save(export(network.eval()), FOLDER / "others" / "torch_2_5.pt2")


def pickled(value):
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def others(network):
    """Writes files of other forms."""
    folder = FOLDER / "others"
    folder.mkdir(exist_ok=True)
    torch.jit.save(torch.jit.trace(network, torch.zeros(1, 3, 32, 32)), folder / "script.pt")
    without_sources(folder / "script.pt")
    torch.save(network, folder / "whole.pt")
    torch.save(network.state_dict(), folder / "state_dict.pt2")
    (folder / "exported.pt").write_bytes((FOLDER / "windows.pt2").read_bytes())
    whole = (FOLDER / "windows.pt2").read_bytes()
    (folder / "cut_short.pt2").write_bytes(whole[: len(whole) // 2])
    # The compiled code is left out.
    with zipfile.ZipFile(folder / "inductor.pt2", "w") as package:
        package.writestr("inductor/archive_format", "pt2")
        package.writestr("inductor/data/aotinductor/model/model.wrapper.so", "")
        package.writestr("inductor/data/aotinductor/model/model.wrapper_metadata.json", "{}")
    state = dict(network.named_parameters()) | dict(network.named_buffers())
    with (
        zipfile.ZipFile(FOLDER / "windows.pt2") as current,
        zipfile.ZipFile(folder / "pickled.pt2", "w") as whole,
        zipfile.ZipFile(folder / "use_pickle.pt2", "w") as each,
    ):
        for name in current.namelist():
            data = current.read(name)
            if "/data/weights/" not in name and "/data/constants/" not in name:
                whole.writestr(name, data)
            if name.endswith("weights_config.json"):
                config = json.loads(data)
                for index, (key, payload) in enumerate(config["config"].items()):
                    payload["use_pickle"] = True
                    payload["path_name"] = f"weight_{index}"
                    each.writestr(f"windows/data/weights/weight_{index}", pickled(state[key]))
                data = json.dumps(config)
            if "/data/weights/weight_" not in name:
                each.writestr(name, data)
        whole.writestr("windows/data/weights/model.pt", pickled(state))
        whole.writestr("windows/data/constants/model.pt", pickled({}))


def main():
    FOLDER.mkdir(exist_ok=True)
    if "--old" in sys.argv:
        return old()
    expected = {}
    for seed, network in enumerate([Convolutional(), Transformer(), Windows()]):
        name = type(network).__name__.lower()
        redraw(network, seed)
        network.eval()
        images = (torch.arange(3 * 3 * 32 * 32, dtype=torch.float64) * 0.37).sin().float()
        images = images.view(3, 3, 32, 32)
        torch.export.save(export(network), FOLDER / f"{name}.pt2")
        image = images[:1].clone().requires_grad_(True)
        (gradient,) = torch.autograd.grad(network(image)[0, 0], image)
        expected[f"{name}/logits"] = network(images).detach()
        expected[f"{name}/gradient"] = gradient
    others(network)
    save_file(expected, FOLDER / "expected.safetensors")


if __name__ == "__main__":
    main()
