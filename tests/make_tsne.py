"""Makes golden/codes_60.json: 60 of scikit-learn's digits, and what scikit-learn computes from them.

    python3 -m venv target/golden
    target/golden/bin/pip install scikit-learn==1.7.*
    target/golden/bin/python tests/make_tsne.py

The codes are every thirtieth of the 1797 digits, 8 x 8 values from 0 to 16 with a little noise, so that no two distances
are equal. Of them: the principal components; a map by exact t-SNE (perplexity 12, initialised with the components) with
its Kullback-Leibler divergence, computed by scikit-learn's own loss; the map's trustworthiness; and the leave-one-out
accuracy of the nearest neighbour, among the codes and on the map.
"""

import json
import pathlib

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import pdist, squareform
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, _t_sne, trustworthiness
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

codes, digits = load_digits(return_X_y=True)
codes, digits = codes[::30][:60], digits[::30][:60]
codes = np.round(codes + np.random.default_rng(0).uniform(size=codes.shape), 3)
components = PCA(5, svd_solver="full").fit(codes)
perplexity = 12
fitted = TSNE(method="exact", init="pca", perplexity=perplexity, random_state=0).fit(codes)
# Rounded first, so that all figures are those of the map in the file.
map_ = np.round(fitted.embedding_.astype(np.float64), 4)
joint = _t_sne._joint_probabilities(squareform(pdist(codes, "sqeuclidean")).astype(np.float32), perplexity, 0)
divergence, _ = _t_sne._kl_divergence(map_.ravel(), joint, 1, len(codes), 2)

# The assignment to the cells of a square of 8 x 8.
unit = (map_ - map_.min(0)) / (map_.max(0) - map_.min(0))
cells = np.array([[(x + 0.5) / 8, (y + 0.5) / 8] for y in range(8) for x in range(8)])
cost = ((unit[:, None] - cells[None]) ** 2).sum(2)
rows, columns = linear_sum_assignment(cost)


def nearest_neighbour_accuracy(points):
    scores = cross_val_score(KNeighborsClassifier(1, algorithm="brute"), points, digits, cv=LeaveOneOut())
    return float(scores.mean())


golden = {
    "codes": codes.ravel().tolist(),
    "digits": digits.tolist(),
    "variance": components.explained_variance_ratio_.sum(),
    "components": np.round(np.abs(components.transform(codes)), 4).ravel().tolist(),
    "perplexity": perplexity,
    "map": map_.ravel().tolist(),
    "divergence": float(divergence),
    "trustworthiness": {str(k): trustworthiness(codes, map_, n_neighbors=k) for k in (5, 12, 29)},
    "nearest": {"codes": nearest_neighbour_accuracy(codes), "map": nearest_neighbour_accuracy(map_)},
    "grid_cost": float(cost[rows, columns].sum()),
}
path = pathlib.Path(__file__).parent / "golden" / "codes_60.json"
path.write_text(json.dumps(golden) + "\n")
