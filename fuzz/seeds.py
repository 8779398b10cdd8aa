"""Copies the repository's test files into fuzz/corpus/TARGET, where cargo fuzz looks for its first inputs.

    python3 fuzz/seeds.py
"""

import pathlib
import shutil
import zipfile

FUZZ = pathlib.Path(__file__).parent
TESTS = FUZZ.parent / "tests"

# The files of each target; those of `program_json` are within archives.
SEEDS = {
    "exported_program": ["exported/*.pt2", "exported/others/*"],
    "pickle": ["weights/*.pth", "weights/*.pkl", "exported/others/state_dict.pt2"],
    "safetensors": ["weights/*.safetensors"],
    "experiment": ["specs/**/*.yaml", "../experiments/**/*.yaml"],
    "image": ["images/*", "inputs/*.png", "inputs/*.tif", "inputs/*.npy"],
}
PROGRAMS = ("models/model.json", "serialized_exported_program.json")


def main():
    for target, patterns in SEEDS.items():
        folder = FUZZ / "corpus" / target
        folder.mkdir(parents=True, exist_ok=True)
        files = [file for pattern in patterns for file in TESTS.glob(pattern) if file.is_file()]
        for file in files:
            # Files of the same name are in several folders.
            shutil.copyfile(file, folder / f"{file.parent.name}_{file.name}")
        print(f"{target}: {len(files)} files")
    folder = FUZZ / "corpus" / "program_json"
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for file in (TESTS / "exported").rglob("*.pt*"):
        if not zipfile.is_zipfile(file):
            continue
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                if name.endswith(PROGRAMS):
                    (folder / f"{file.stem}.json").write_bytes(archive.read(name))
                    count += 1
    print(f"program_json: {count} files")


if __name__ == "__main__":
    main()
