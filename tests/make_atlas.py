"""Makes tests/golden/atlas.json: openTSNE's Kullback-Leibler divergence for the points of tests/atlas.rs.

    python tests/make_atlas.py      # needs numpy and openTSNE 1.0.4

The points are made by the same formula in both: 5200 points of 20 coordinates in 40 clusters, from SplitMix64's output function.
openTSNE gets perplexity 30, the first two coordinates as the initial layout, 250 steps of early exaggeration and 250 more.
"""

import json
import pathlib

import numpy
from openTSNE import TSNE, affinity, initialization

COUNT, DIMS, CLUSTERS = 5200, 20, 40


def mix64(z):
    z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return z ^ (z >> numpy.uint64(31))


def uniform(index):
    """From -1 to 1."""
    return (mix64(index.astype(numpy.uint64)) >> numpy.uint64(40)).astype(numpy.float64) / 2**23 - 1


def points():
    row, column = numpy.meshgrid(numpy.arange(COUNT), numpy.arange(DIMS), indexing="ij")
    centre = uniform(1_000_000 + row % CLUSTERS * DIMS + column)
    return ((2 * centre + uniform(row * DIMS + column + 1)) * 4 / (column + 4)).astype(numpy.float32)


def main():
    values = points()
    p = affinity.PerplexityBasedNN(values, perplexity=30, method="exact", n_jobs=2)
    start = initialization.rescale(values[:, :2].astype(numpy.float64))
    fitted = TSNE(n_jobs=2, random_state=0, early_exaggeration_iter=250, n_iter=250, negative_gradient_method="fft").fit(affinities=p, initialization=start)
    out = {"divergence": float(fitted.kl_divergence), "first": [float(x) for x in values[:2, :3].ravel()]}
    path = pathlib.Path(__file__).parent / "golden" / "atlas.json"
    path.write_text(json.dumps(out) + "\n")
    print(out)


main()
