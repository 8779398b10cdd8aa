"""Makes tests/targets/: what PyTorch's autograd gives for targets that are no logit, and small networks whose outputs are no
logits of several classes.

    python3 -m venv target/golden
    target/golden/bin/pip install -r tests/golden-requirements.txt
    target/golden/bin/python tests/make_targets.py

`targets_64.safetensors` holds, for networks with the random weights of `make_golden.py` and for its input of 64 × 64 pixels, both
in float64, `NETWORK/TARGET/value` and `NETWORK/TARGET/gradient`, every eighth value of the gradient with respect to the input.
With a and b the classes of the two largest logits of the input, the targets are `contrast` (logit a minus logit b),
`probability` (of a), `probabilities` (of a minus of b), `likeness` (the cosine similarity of the vector before the classifier
with that of the input mirrored left to right) and `layer` (the same with the mean over the positions of a layer, LAYERS).

`NAME.pt2` are networks for images of 16 × 16 pixels, with all parameters drawn at normal scale; `expected.safetensors` has
`NAME/logits`, the values before a final softmax or sigmoid, and `NAME/gradient`, the gradient of the last of them with respect
to the first image. The three images are sin(0.37 · index) over all their values.
"""

import pathlib

import torch
import torch.nn.functional as F
from make_golden import golden_input, random_network
from safetensors.torch import save_file
from torch import nn

FOLDER = pathlib.Path(__file__).parent / "targets"
LAYERS = {"resnet18": "layer3", "vgg11_bn": "features.14", "efficientnet_b0": "features.4"}


def values_at(network, layer, x):
    """The value of a module for an input."""
    kept = []
    handle = network.get_submodule(layer).register_forward_hook(lambda _, __, value: kept.append(value))
    network(x)
    handle.remove()
    return kept[0]


def before_classifier(network, x):
    """The input of the last linear layer."""
    last = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)][-1]
    kept = []
    handle = network.get_submodule(last).register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
    network(x)
    handle.remove()
    return kept[0]


def targets(arch):
    network = random_network(arch).double()
    x = golden_input(64, torch.float64)
    mirrored = x.flip(3)
    a, b = network(x)[0].topk(2).indices.tolist()
    mean = lambda value: value.flatten(2).mean(2)
    with torch.no_grad():
        code = before_classifier(network, mirrored)
        layer_code = mean(values_at(network, LAYERS[arch], mirrored))
    softmax = lambda x: network(x).softmax(1)
    functions = {
        "contrast": lambda x: network(x)[:, a] - network(x)[:, b],
        "probability": lambda x: softmax(x)[:, a],
        "probabilities": lambda x: softmax(x)[:, a] - softmax(x)[:, b],
        "likeness": lambda x: F.cosine_similarity(before_classifier(network, x), code),
        "layer": lambda x: F.cosine_similarity(mean(values_at(network, LAYERS[arch], x)), layer_code),
    }
    found = {}
    for name, function in functions.items():
        image = x.clone().requires_grad_()
        value = function(image)
        value.sum().backward()
        found[f"{arch}/{name}/value"] = value.detach().contiguous()
        found[f"{arch}/{name}/gradient"] = image.grad.flatten()[::8].float().contiguous()
    return found


class Network(nn.Module):
    """Two convolutions, a mean over the positions, and perhaps a classifier with `outputs` and an `end`."""

    def __init__(self, outputs=None, end=None):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, 2, 1)
        self.conv2 = nn.Conv2d(6, 8, 3, 2, 1)
        self.fc = nn.Linear(8, outputs) if outputs else None
        self.end = end

    def logits(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x)))).mean((2, 3))
        return x if self.fc is None else self.fc(x)

    def forward(self, x):
        x = self.logits(x)
        return x if self.end is None else self.end(x)


NETWORKS = {
    "one_sigmoid": Network(1, lambda x: torch.sigmoid(x)),
    "one_number": Network(1, lambda x: x.squeeze(1)),
    "softmax": Network(3, lambda x: x.softmax(1)),
    "log_softmax": Network(3, lambda x: F.log_softmax(x, dim=-1)),
    "sigmoids": Network(4, lambda x: torch.sigmoid(x)),
    "encoder": Network(),
}


def images():
    return (torch.arange(3 * 3 * 16 * 16, dtype=torch.float64) * 0.37).sin().float().view(3, 3, 16, 16)


def main():
    FOLDER.mkdir(exist_ok=True)
    found = {}
    for arch in LAYERS:
        found.update(targets(arch))
    save_file(found, FOLDER / "targets_64.safetensors")
    expected = {}
    torch.manual_seed(0)
    for name, network in NETWORKS.items():
        network.eval()
        with torch.no_grad():
            for parameter in network.parameters():
                fan_in = parameter[0].numel() if parameter.dim() > 1 else 4
                parameter.normal_(0, fan_in**-0.5)
        x = images().requires_grad_()
        logits = network.logits(x)
        (gradient,) = torch.autograd.grad(logits[0, -1], x)
        expected[f"{name}/logits"] = logits.detach().contiguous()
        expected[f"{name}/gradient"] = gradient[:1].contiguous()
        batch = torch.export.Dim.DYNAMIC
        program = torch.export.export(network, (torch.zeros(2, 3, 16, 16),), dynamic_shapes=({0: batch},))
        for node in program.graph.nodes:
            node.meta.pop("stack_trace", None)
        torch.export.save(program, FOLDER / f"{name}.pt2")
    save_file(expected, FOLDER / "expected.safetensors")


if __name__ == "__main__":
    main()
