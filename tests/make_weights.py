"""Makes the small weight files of tests/weights/, with PyTorch 2.13.0, safetensors 0.8 and timm 1.0.

    python tests/make_weights.py

`timm_*.txt` list the names and shapes of the parameters of networks of timm 1.0. Every other file holds the same two
tensors, unless its name says otherwise: `a` is 0…5 as 2 × 3, `b` is [0.5, -2, 1024].
"""

import collections
import io
import os
import pathlib
import pickle
import zipfile

import safetensors.torch
import timm
import torch

FOLDER = pathlib.Path(__file__).parent / "weights"
A = torch.arange(6, dtype=torch.float32).reshape(2, 3)
B = torch.tensor([0.5, -2.0, 1024.0])
PLAIN = collections.OrderedDict(a=A, b=B)


def save(name, value, **options):
    torch.save(value, FOLDER / name, **options)


def of_kind(kind):
    return {name: tensor.to(kind) for name, tensor in PLAIN.items()}


def big_endian():
    """Write a zip archive as a big-endian machine does."""
    buffer = io.BytesIO()
    torch.save(PLAIN, buffer)
    with zipfile.ZipFile(buffer) as little, zipfile.ZipFile(FOLDER / "big_endian.pth", "w") as big:
        for name in little.namelist():
            data = little.read(name)
            if name.endswith("byteorder"):
                data = b"big"
            elif "/data/" in name:
                data = b"".join(data[i : i + 4][::-1] for i in range(0, len(data), 4))
            big.writestr(name, data)


class Malicious:
    def __reduce__(self):
        return os.system, ("touch /tmp/convscope-was-here",)


def main():
    FOLDER.mkdir(exist_ok=True)
    save("zip.pth", PLAIN)
    save("old.pth", PLAIN, _use_new_zipfile_serialization=False)
    for protocol in (3, 4, 5):
        save(f"zip_protocol{protocol}.pth", PLAIN, pickle_protocol=protocol)
    for name, kind in [
        ("float16", torch.float16),
        ("bfloat16", torch.bfloat16),
        ("float64", torch.float64),
    ]:
        save(f"{name}.pth", of_kind(kind))
        save(f"{name}_old.pth", of_kind(kind), _use_new_zipfile_serialization=False)
        safetensors.torch.save_file(of_kind(kind), FOLDER / f"{name}.safetensors")
    safetensors.torch.save_file(dict(PLAIN), FOLDER / "plain.safetensors", {"format": "pt"})
    training = {
        "epoch": 3,
        "best": 0.5,
        "args": {"lr": 0.1, "milestones": [30, 60], "name": None, "amp": True},
        "optimizer": {"state": {0: {"step": torch.tensor(4.0)}}, "param_groups": [{"lr": 0.1}]},
    }
    save("nested_state_dict.pth", training | {"state_dict": PLAIN})
    save("nested_model_old.pth", training | {"model": PLAIN}, _use_new_zipfile_serialization=False)
    parameters = {name: torch.nn.Parameter(tensor) for name, tensor in PLAIN.items()}
    save("parameters.pth", parameters)
    # `a` is a transposed part of a longer storage that `c` shares, `b` is every other value.
    shared = torch.tensor([0.5, 9, 0, 3, 1, 4, 2, 5, 9, -2, 9, 1024])
    views = {"a": shared[2:8].reshape(3, 2).T, "b": torch.tensor([0.5, 9, -2, 9, 1024])[::2]}
    views["c"] = shared[2:8]
    save("views.pth", views)
    save("views_old.pth", views, _use_new_zipfile_serialization=False)
    big_endian()

    save("malicious.pth", {"a": A, "b": Malicious()})
    save("malicious_old.pth", {"a": A, "b": Malicious()}, _use_new_zipfile_serialization=False)
    (FOLDER / "malicious.pkl").write_bytes(pickle.dumps(Malicious(), protocol=4))
    save("whole_model.pth", torch.nn.Linear(3, 2))
    whole = (FOLDER / "old.pth").read_bytes()
    (FOLDER / "truncated_old.pth").write_bytes(whole[:-6])
    whole = (FOLDER / "zip.pth").read_bytes()
    (FOLDER / "truncated.pth").write_bytes(whole[: len(whole) // 2])
    whole = (FOLDER / "plain.safetensors").read_bytes()
    (FOLDER / "truncated.safetensors").write_bytes(whole[:-6])

    for name in ["resnet18", "efficientnet_b0", "efficientnet_b1", "efficientnet_lite0", "vgg11_bn"]:
        network = timm.create_model(name, num_classes=10)
        lines = [
            f"{key} {'x'.join(map(str, tensor.shape))}\n"
            for key, tensor in network.state_dict().items()
        ]
        (FOLDER / f"timm_{name}.txt").write_text("".join(lines))


if __name__ == "__main__":
    main()
