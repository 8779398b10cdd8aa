"""Makes tests/checkpoints/: what PyTorch computes with networks as people save them, with PyTorch 2.13 and torchvision 0.28.

    target/golden/bin/python tests/make_checkpoints.py

Each kind is a network with a stem, head, shortcuts or names that are not torchvision's. The files of such networks are large, so
none is stored: `kinds.json` has the names and shapes of each state dict, and its values are those of
`network::random_weights` for these names, which the tests compute as well. `expected.safetensors` has for each kind the output
and the gradient of its first value with respect to the input, of which every fourth row and column is kept.

The input is `random_values("input.weight", [1, channels, size, size])` times 30.
"""

import json
import pathlib

import torch
import torch.nn.functional as F
import torchvision
from make_golden import random_values
from safetensors.torch import save_file
from torch import nn

FOLDER = pathlib.Path(__file__).parent / "checkpoints"


class CifarBlock(nn.Module):
    """A basic block with the names that repositories for CIFAR use; its shortcut is a projection or has no weights."""

    def __init__(self, inputs, width, stride, projection):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        self.stride, self.extra = stride, width - inputs
        self.shortcut = nn.Sequential()
        if projection and (stride != 1 or inputs != width):
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        shortcut = self.shortcut(x)
        if shortcut.shape != y.shape:
            half = self.extra // 2
            shortcut = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, half))
        return F.relu(y + shortcut)


class CifarResNet(nn.Module):
    """A ResNet for images of 32 × 32 pixels: a 3×3 stem without pooling, and a head called `linear`."""

    def __init__(self, blocks, width, projection, classes=10, channels=3):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        inputs, self.stages = width, len(blocks)
        for stage, count in enumerate(blocks):
            layers = []
            for block in range(count):
                stride = 2 if stage and not block else 1
                layers.append(CifarBlock(inputs, width << stage, stride, projection))
                inputs = width << stage
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.linear = nn.Linear(inputs, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.linear(x.mean((2, 3)))


class CifarVgg(nn.Module):
    """VGG-11 with batch norms for images of 32 × 32 pixels, with one linear layer."""

    def __init__(self, classes=10):
        super().__init__()
        layers, inputs = [], 3
        for width in (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"):
            if width == "M":
                layers.append(nn.MaxPool2d(2, 2))
                continue
            layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
            inputs = width
        self.features = nn.Sequential(*layers, nn.AvgPool2d(1, 1))
        self.classifier = nn.Linear(512, classes)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Around(nn.Module):
    """A network in a module, under `name`, with others beside it; `after` is the one that is applied to its output."""

    def __init__(self, name, network, after=None, **others):
        super().__init__()
        self.add_module(name, network)
        for other, module in others.items():
            self.add_module(other, module)
        self.path = [name] + ([after] if after else [])

    def forward(self, x):
        for name in self.path:
            x = getattr(self, name)(x)
            x = x.flatten(1) if x.dim() == 4 else x
        return x


def resnet18(head=None, channels=3, small=False, classes=10):
    network = torchvision.models.resnet18(num_classes=classes)
    if channels != 3:
        network.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    if small:
        network.conv1, network.maxpool = nn.Conv2d(channels, 64, 3, 1, 1, bias=False), nn.Identity()
    if head is not None:
        network.fc = head
    return network


def with_head(network, head):
    network.classifier = head
    return network


def chenyaofo(blocks):
    """The names of another repository for CIFAR: projections called `downsample`, a head called `fc`."""
    network = CifarResNet(blocks, 16, projection=True)
    return network, lambda name: name.replace(".shortcut.", ".downsample.").replace("linear.", "fc.")


def children(network, but):
    """A `Sequential` of a network's children except those of these names."""
    return nn.Sequential(*(module for name, module in network.named_children() if name not in but))


def moco():
    head = lambda: nn.Sequential(nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 16))
    network = Around("encoder_q", resnet18(head()), encoder_k=resnet18(head()))
    network.register_buffer("queue", torch.zeros(16, 32))
    return Around("module", network)


def kinds():
    """Each kind's name, architecture, side of the input, and network, or network and renaming of its parameters."""
    vgg = torchvision.models.vgg11_bn
    b0 = torchvision.models.efficientnet_b0
    dropout = lambda: nn.Dropout(0.5)
    return {
        "cifar_stem": ("resnet18", 32, resnet18(small=True)),
        "kuangliu_resnet18": ("resnet18", 32, CifarResNet([2, 2, 2, 2], 64, projection=True)),
        "one_channel_one_output": ("resnet18", 64, resnet18(channels=1, classes=1)),
        "five_channels": ("resnet18", 64, Around("net", resnet18(channels=5))),
        "dropout_linear": ("resnet18", 64, resnet18(nn.Sequential(dropout(), nn.Linear(512, 7)))),
        "linear_relu_dropout_linear": (
            "resnet18", 64,
            resnet18(nn.Sequential(nn.Linear(512, 32), nn.ReLU(), dropout(), nn.Linear(32, 7))),
        ),
        "linear_norm_relu_linear": (
            "resnet18", 64,
            resnet18(nn.Sequential(nn.Linear(512, 32), nn.BatchNorm1d(32), nn.ReLU(), dropout(), nn.Linear(32, 7))),
        ),
        "linear_linear": ("resnet18", 64, resnet18(nn.Sequential(nn.Linear(512, 32), nn.Linear(32, 7, bias=False)))),
        "no_head": ("resnet18", 64, Around("encoder", resnet18(nn.Identity()), projector=nn.Linear(512, 32))),
        "head_beside": ("resnet18", 64, Around("backbone", resnet18(nn.Identity()), "classifier", classifier=nn.Linear(512, 7))),
        "children_in_a_row": (
            "resnet18", 64,
            Around("feature_extractor", children(resnet18(), ["fc"]), "classifier", classifier=nn.Linear(512, 7)),
        ),
        "children_small_stem": ("resnet18", 32, Around("f", children(resnet18(small=True), ["fc", "maxpool"]))),
        "moco": ("resnet18", 64, moco()),
        "resnext50": ("resnext50_32x4d", 64, torchvision.models.resnext50_32x4d(num_classes=3)),
        "wide_resnet50": ("wide_resnet50_2", 64, torchvision.models.wide_resnet50_2(num_classes=3)),
        "resnet20_without_projections": ("resnet20", 32, Around("module", CifarResNet([3, 3, 3], 16, projection=False))),
        "resnet20_with_projections": ("resnet20", 32, *chenyaofo([3, 3, 3])),
        "resnet56": ("resnet56", 32, CifarResNet([9, 9, 9], 16, projection=False)),
        "resnet110": ("resnet110", 32, CifarResNet([18, 18, 18], 16, projection=False)),
        "cifar_vgg": ("vgg11_bn", 32, CifarVgg()),
        "vgg_short_head": (
            "vgg11_bn", 64,
            with_head(vgg(), nn.Sequential(nn.Linear(25088, 64), nn.ReLU(), dropout(), nn.Linear(64, 5))),
        ),
        "efficientnet_linear": ("efficientnet_b0", 64, with_head(b0(), nn.Linear(1280, 5))),
        "efficientnet_nested": (
            "efficientnet_b0", 64,
            with_head(b0(), nn.Sequential(dropout(), nn.Sequential(nn.BatchNorm1d(1280), nn.Linear(1280, 5)))),
        ),
        "efficientnet_no_head": ("efficientnet_b0", 64, with_head(b0(), nn.Identity())),
    }


def state_dict(network, rename):
    """The tensors by the names in the file, without the counters of training steps."""
    found = {rename(name): tensor for name, tensor in network.state_dict().items()}
    return {name: tensor for name, tensor in found.items() if not name.endswith("num_batches_tracked")}


def main():
    FOLDER.mkdir(exist_ok=True)
    listed, expected = {}, {}
    for kind, (arch, size, network, *rename) in kinds().items():
        network.eval()
        for module in network.modules():
            if isinstance(module, (nn.ReLU, nn.SiLU)):
                module.inplace = False
        tensors = state_dict(network, *(rename or [lambda name: name]))
        with torch.no_grad():
            for name, tensor in tensors.items():
                tensor.copy_(random_values(name, tuple(tensor.shape)))
        first = next(tensor for tensor in tensors.values() if tensor.dim() == 4)
        channels = first.shape[1]
        network = network.double()
        x = 30 * random_values("input.weight", (1, channels, size, size)).double()
        x.requires_grad_()
        output = network(x)
        (gradient,) = torch.autograd.grad(output[0, 0], x)
        expected[f"{kind}/output"] = output.detach().float()[0].contiguous()
        expected[f"{kind}/gradient"] = gradient[0, :, ::4, ::4].float().contiguous()
        shapes = {name: list(tensor.shape) for name, tensor in tensors.items()}
        listed[kind] = {"arch": arch, "size": size, "channels": channels, "tensors": shapes}
        print(kind, tuple(output.shape), float(output.detach().abs().max()), float(gradient.abs().max()))
    save_file(expected, FOLDER / "expected.safetensors")
    lines = [f"{json.dumps(kind)}: {json.dumps(entry, separators=(',', ':'))}" for kind, entry in listed.items()]
    (FOLDER / "kinds.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
