"""Makes evaluation/significance.json: what SciPy, statsmodels and scikit-learn compute of shares that differ and of groups of points.

    python3 -m venv target/golden
    target/golden/bin/pip install scipy==1.17.* scikit-learn==1.9.* statsmodels==0.15.*
    target/golden/bin/python tests/make_significance.py
"""

import json
import pathlib

import numpy as np
from scipy.stats import fisher_exact
from sklearn.cluster import KMeans
from statsmodels.stats.multitest import multipletests

random = np.random.default_rng(23)


def fisher():
    # Images in the group, right ones of them, all images, right ones of all.
    cases = [(10, 3, 100, 70), (10, 10, 20, 10), (5, 0, 10, 5), (30, 21, 800, 560), (30, 30, 800, 600), (400, 200, 800, 380), (1, 1, 2, 1)]
    cases += [(40, 22, 50_000, 38_000), (2_500, 1_700, 50_000, 38_000), (7, 7, 7, 7), (3, 0, 9, 0)]
    rows = []
    for part, part_right, whole, right in cases:
        table = [[part_right, part - part_right], [right - part_right, whole - right - (part - part_right)]]
        rows.append([part, part_right, whole, right, float(fisher_exact(table).pvalue)])
    return rows


def holm():
    rows = [[0.01, 0.04, 0.03, 0.005], [0.5], [0.2, 0.2, 0.9], [1.0, 0.0], random.uniform(size=12).round(3).tolist()]
    return [[p, multipletests(p, method="holm")[1].tolist()] for p in rows]


def groups():
    centres = np.array([[0, 0, 0], [4, 0, 1], [0, 5, 0], [4, 4, -3]])
    truth = random.integers(4, size=160)
    points = np.round(centres[truth] + random.normal(0, 0.8, (160, 3)), 3)
    best = KMeans(4, n_init=50, random_state=0).fit(points)
    return {"points": points.ravel().tolist(), "groups": best.labels_.tolist(), "squared_distance": float(best.inertia_)}


path = pathlib.Path(__file__).parent / "evaluation" / "significance.json"
path.write_text(json.dumps({"fisher": fisher(), "holm": holm(), "k_means": groups()}, separators=(",", ":")) + "\n")
