"""Makes evaluation/expected.json: small random predictions, and what other packages compute from them.

    python3 -m venv target/golden
    target/golden/bin/pip install scipy==1.17.* scikit-learn==1.9.* statsmodels==0.15.* cleanlab==2.9.* mpmath
    target/golden/bin/python tests/make_evaluation.py

Wilson's intervals and McNemar's test are statsmodels'; where counts are large, mpmath's with 60 digits. Cohen's kappa, the
confusion matrix, average precision, the area under the ROC curve, R^2 and the mean absolute error are scikit-learn's,
Pearson's correlation is SciPy's, and the confident joint is cleanlab's. The bins of a reliability diagram and error
consistency are computed here, from the papers' formulas.
"""

import json
import pathlib

import mpmath
import numpy as np
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from cleanlab.rank import get_normalized_margin_for_each_label
from scipy.stats import pearsonr
from sklearn.metrics import (
    average_precision_score,
    cohen_kappa_score,
    confusion_matrix,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
)
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

random = np.random.default_rng(19)


def wilson():
    cases = [(0, 1), (1, 1), (0, 10), (10, 10), (3, 7), (1, 1000), (812, 1000), (640_000, 1_280_000)]
    return [[s, n, *map(float, proportion_confint(s, n, method="wilson"))] for s, n in cases]


def exact_p(a, b):
    """Twice the lower tail of the binomial distribution, summed term by term."""
    mpmath.mp.dps = 60
    count, term = a + b, mpmath.binomial(a + b, min(a, b)) / mpmath.mpf(2) ** (a + b)
    total = mpmath.mpf(0)
    for heads in range(min(a, b), -1, -1):
        total += term
        term *= mpmath.mpf(heads) / (count - heads + 1)
        if term < total * mpmath.mpf(10) ** -40:
            break
    return float(min(2 * total, 1))


def mcnemar_cases():
    small = [(0, 1), (1, 0), (0, 5), (3, 4), (4, 4), (10, 2), (121, 59), (33, 32)]
    large = [(1_000_000, 1_000_000), (1_000_000, 998_000), (500_000, 505_000), (400_000, 380_000), (40, 1_000), (1_000_000, 999_999)]
    cases = [[a, b, float(mcnemar([[0, a], [b, 0]], exact=True).pvalue)] for a, b in small]
    for a, b, p in cases:
        assert abs(p - exact_p(a, b)) < 1e-14
    return cases + [[a, b, exact_p(a, b)] for a, b in large]


def kappa(truth, a, b):
    right_a, right_b = a == truth, b == truth
    observed = np.mean(right_a == right_b)
    expected = right_a.mean() * right_b.mean() + (1 - right_a.mean()) * (1 - right_b.mean())
    return {
        "kappa": float(cohen_kappa_score(a, b)),
        "error_consistency": float((observed - expected) / (1 - expected)),
    }


def confusion(truth, predicted):
    matrix = confusion_matrix(truth, predicted)
    pairs = [(-int(matrix[i, j]), i, j) for i in range(len(matrix)) for j in range(len(matrix)) if i != j and matrix[i, j]]
    return [[i, j, -count, -count / int(matrix[i].sum())] for count, i, j in sorted(pairs)]


def calibration():
    # Some confidences are borders of bins.
    confidence = np.concatenate([np.round(random.beta(3, 1.2, 150), 4), np.arange(16) / 15])
    right = random.uniform(size=len(confidence)) < confidence**1.5
    bins, ece = [], 0.0
    for at in range(15):
        inside = (confidence > at / 15) & (confidence <= (at + 1) / 15)
        if at == 0:
            inside |= confidence == 0
        if not inside.any():
            bins.append([0, 0, None, None])
            continue
        mean, accuracy = confidence[inside].mean(), right[inside].mean()
        ece += inside.mean() * abs(mean - accuracy)
        bins.append([int(inside.sum()), int(right[inside].sum()), float(mean), float(accuracy)])
    return {"confidence": confidence.tolist(), "right": right.tolist(), "bins": bins, "ece": float(ece)}


def multi_label():
    labels = random.uniform(size=(40, 6)) < [0.5, 0.3, 0.1, 0.4, 0, 1]
    # Of two decimals, so that many scores are equal.
    scores = np.round(random.normal(size=labels.shape) + 0.8 * labels, 1).astype(np.float32)
    precision, area = [], []
    for score, label in zip(scores.T, labels.T):
        precision.append(float(average_precision_score(label, score)) if label.any() else None)
        area.append(float(roc_auc_score(label, score)) if 0 < label.sum() < len(label) else None)
    return {
        "scores": [float(f"{score:.1f}") for score in scores.ravel()],
        "positive": labels.ravel().tolist(),
        "average_precision": precision,
        "auroc": area,
        "mean_average_precision": float(np.mean([p for p in precision if p is not None])),
        "mean_auroc": float(np.mean([a for a in area if a is not None])),
    }


def regression():
    truth = np.round(random.normal(40, 10, 50), 2)
    predicted = np.round(truth * 0.7 + 11 + random.normal(0, 5, 50), 2)
    return {
        "truth": truth.tolist(),
        "predicted": predicted.tolist(),
        "r_squared": float(r2_score(truth, predicted)),
        "mean_absolute_error": float(mean_absolute_error(truth, predicted)),
        "pearson": float(pearsonr(truth, predicted).statistic),
    }


def confident_learning():
    images, classes = 150, 5
    truth = np.concatenate([np.arange(classes), random.integers(classes, size=images - classes)])
    noisy = random.uniform(size=images) < 0.15
    labels = np.where(noisy, (truth + random.integers(1, classes, images)) % classes, truth)
    # Weak classes have thresholds that an image reaches for several classes at once.
    logits = random.normal(size=(images, classes)) + np.diag([2.5, 2.5, 2, 0.5, 0.5])[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    probabilities = np.round(probabilities, 5)
    probabilities[:, 0] = np.round(probabilities[:, 0] + 1 - probabilities.sum(1), 5)
    joint, issues = compute_confident_joint(
        labels, probabilities, calibrate=False, return_indices_of_off_diagonals=True
    )
    thresholds = get_confident_thresholds(labels, probabilities)
    # cleanlab takes the most probable class where several are confident, the paper the most probable confident one, which
    # is the same here.
    confident = np.where(probabilities >= thresholds, probabilities, -1)
    guess, counted = confident.argmax(1), confident.max(1) >= 0
    assert np.flatnonzero(counted & (guess != labels)).tolist() == sorted(issues)
    assert (counted & ((confident >= 0).sum(1) > 1)).any() and not counted.all()
    # cleanlab's margin is this one, from 0 to 1.
    margins = 2 * get_normalized_margin_for_each_label(labels, probabilities) - 1
    ordered = sorted(issues, key=lambda image: margins[image])
    return {
        "labels": labels.tolist(),
        "probabilities": probabilities.ravel().tolist(),
        "thresholds": thresholds.tolist(),
        "joint": joint.ravel().tolist(),
        "issues": [[int(image), int(guess[image])] for image in ordered],
        "margins": [float(margins[image]) for image in ordered],
    }


truth = random.integers(7, size=200)
a = np.where(random.uniform(size=200) < 0.7, truth, random.integers(7, size=200))
b = np.where(random.uniform(size=200) < 0.4, a, random.integers(7, size=200))
expected = {
    "wilson": wilson(),
    "mcnemar": mcnemar_cases(),
    "truth": truth.tolist(),
    "a": a.tolist(),
    "b": b.tolist(),
    "agreement": kappa(truth, a, b),
    "confusion": confusion(truth, b),
    "calibration": calibration(),
    "multi_label": multi_label(),
    "regression": regression(),
    "confident_learning": confident_learning(),
}
path = pathlib.Path(__file__).parent / "evaluation" / "expected.json"
path.write_text(json.dumps(expected, separators=(",", ":")).replace(',"', ',\n"') + "\n")
