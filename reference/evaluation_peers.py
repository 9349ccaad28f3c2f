"""What other libraries say about the same maps: the goldens of packages/evaluation/test/peers.test.ts.

    python -m venv .venv-evaluation && .venv-evaluation/bin/pip install -r reference/requirements-evaluation.txt
    .venv-evaluation/bin/python -m reference.evaluation_peers

Maps have ties on purpose, and both signs. The model is f(x) = W tanh(x) with fixed weights, so that any reader can write it down.
"""
import json
import warnings
from pathlib import Path

import numpy as np
import quantus
import torch
from captum.metrics import infidelity
from pycocotools import mask as coco
from scipy import stats
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity
from sklearn import metrics as sk

warnings.filterwarnings("ignore")
OUT = Path(__file__).parent.parent / "test/goldens/evaluation/peers.json"
QUIET = {"disable_warnings": True, "display_progressbar": False}
rng = np.random.default_rng(21)
SIDE = 12


def maps():
    """Small maps with ties, their truth, and what each library makes of them."""
    cases = []
    for index in range(6):
        free = rng.permutation(SIDE * SIDE).reshape(SIDE, SIDE) ** 1.3 / 200 - 1
        scores = np.round(rng.normal(size=(SIDE, SIDE)), 1) if index % 2 else free
        truth = np.zeros((SIDE, SIDE), int)
        top, left = rng.integers(0, 6, 2)
        truth[top : top + 5, left : left + 4] = 1
        other = np.round(scores + rng.normal(size=scores.shape), 2)
        cases.append({"scores": scores, "truth": truth, "other": other, "values": localisation(scores, truth, other)})
    return cases


def quantus_of(metric, a, s):
    x = np.zeros((1, 1, SIDE, SIDE))
    return metric(model=None, x_batch=x, y_batch=np.array([0]), a_batch=a[None, None], s_batch=s[None, None].astype(bool))[0]


def localisation(scores, truth, other):
    flat, marks = scores.ravel(), truth.ravel()
    precision, recall, _ = sk.precision_recall_curve(marks, flat)
    plain = {**QUIET, "abs": False, "normalise": False}
    scaled = (flat - flat.min()) / (flat.max() - flat.min())
    found = scaled > scaled.mean()
    top = np.argsort(-flat, kind="stable")[: marks.sum()]
    chosen = np.zeros_like(marks)
    chosen[top] = 1
    unit = lambda m: (m - m.min()) / (m.max() - m.min())
    counts, _ = np.histogram(flat, bins=20)
    return {
        "average-precision": sk.average_precision_score(marks, flat),
        "auprc": sk.auc(recall, precision),
        "roc-auc": sk.roc_auc_score(marks, flat),
        "roc-auc (Quantus)": quantus_of(quantus.AUC(**plain), scores, truth),
        "pointing-game": float(quantus_of(quantus.PointingGame(**plain), scores, truth)),
        "relevance-mass:sign=signed": quantus_of(quantus.RelevanceMassAccuracy(**plain), scores, truth),
        "relevance-mass": quantus_of(quantus.RelevanceMassAccuracy(**plain), np.maximum(scores, 0), truth),
        "relevance-rank": quantus_of(quantus.RelevanceRankAccuracy(**plain), scores, truth),
        "gini": quantus.Sparseness(**QUIET, normalise=False)(model=None, x_batch=np.zeros((1, 1, SIDE, SIDE)), y_batch=np.array([0]), a_batch=scores[None, None])[0],
        "entropy": quantus.Complexity(**QUIET, normalise=False)(model=None, x_batch=np.zeros((1, 1, SIDE, SIDE)), y_batch=np.array([0]), a_batch=scores[None, None])[0] / np.log(flat.size),
        "segmentation-accuracy": sk.accuracy_score(marks, found),
        "segmentation-miou": np.mean(sk.jaccard_score(marks, found, average=None)),
        "segmentation-map": sk.average_precision_score(np.r_[1 - marks, marks], np.r_[1 - scaled, scaled]),
        "iou": max(sk.jaccard_score(marks, flat >= t) for t in np.unique(flat)),
        "token-f1": sk.f1_score(marks, chosen) if len(np.unique(flat)) == flat.size else None,
        "spearman": stats.spearmanr(flat, other.ravel()).statistic,
        "pearson": stats.pearsonr(flat, other.ravel()).statistic,
        "ssim": structural_similarity(unit(scores), unit(other), win_size=7, data_range=1, use_sample_covariance=False),
        "efficient-mprt (entropy)": stats.entropy(counts / counts.sum()),
    }


N = 8
WEIGHTS = np.round(rng.normal(size=(3, N)), 2)


class Model(torch.nn.Module):
    def forward(self, x):
        return torch.tanh(x) @ torch.tensor(WEIGHTS, dtype=x.dtype).T


def faithfulness():
    """Metrics that ask the model: a removed unit is 0, all maps without ties."""
    cases = []
    for _ in range(4):
        x = np.round(rng.normal(size=N) + 0.5, 2)
        relevance = np.round(WEIGHTS[0] * x + 0.4 * rng.normal(size=N), 3)
        noisy = np.round(x + 0.02 * rng.uniform(-1, 1, N), 4)
        after = np.round(relevance * (1 + 0.1 * rng.normal(size=N)), 4)
        cases.append({"x": x, "relevance": relevance, "noisy": noisy, "after": after, **asked(x, relevance, noisy, after)})
    return cases


def asked(x, relevance, noisy, after):
    model = Model().double()
    logits = lambda batch: model(torch.tensor(np.atleast_2d(batch))).numpy()
    probability = lambda batch: np.exp(logits(batch))[:, 0] / np.exp(logits(batch)).sum(1)
    order = np.argsort(-relevance)
    removed = lambda ranked: np.array([np.where(np.isin(np.arange(N), ranked[:k]), 0, x) for k in range(N + 1)])
    p, f = probability(removed(order)), logits(removed(order))[:, 0]
    back = logits(removed(order[::-1]))[:, 0]
    grid = np.linspace(0, 1, N + 1)
    inserted = probability(np.array([np.where(np.isin(np.arange(N), order[:k]), x, 0) for k in range(N + 1)]))
    tops = [max(1, round(share * N)) for share in (0.01, 0.05, 0.1, 0.2, 0.5)]
    rising = logits(np.array([np.where(np.isin(np.arange(N), order[::-1][:k]), x, 0) for k in range(N + 1)]))[:, 0]
    single = logits(x)[0, 0] - np.array([logits(np.where(np.arange(N) == i, 0, x))[0, 0] for i in range(N)])
    log = lambda value: np.log(value)
    sets = np.array([rng.permutation(N) < rng.integers(1, N // 2 + 1) for _ in range(16)])

    def perturb(inputs):
        marks = torch.tensor(sets.astype(float))
        return marks, inputs - marks * inputs

    tensor = torch.tensor(x[None])
    yeh = lambda normalize: infidelity(
        model, lambda inputs, *_: perturb(inputs), tensor, torch.tensor(relevance[None]), target=0, n_perturb_samples=16, normalize=normalize
    ).item()
    ris, ros = quantus.RelativeInputStability(**QUIET), quantus.RelativeOutputStability(**QUIET)
    e, es = relevance[None], after[None]
    lost = probability(x)[0] - np.array([probability(np.where(np.isin(np.arange(N), order[g * 2 : g * 2 + 2]), 0, x))[0] for g in range(4)])
    salience = np.array([relevance[order[g * 2 : g * 2 + 2]].sum() for g in range(4)])
    pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    weight = np.array([salience[i] - salience[j] for i, j in pairs])
    signs = np.array([1 if lost[i] >= lost[j] else -1 for i, j in pairs])
    return {
        "sets": sets.astype(int),
        "values": {
            f"deletion:steps={N}": sk.auc(grid, p),
            f"insertion:steps={N}": sk.auc(grid, inserted),
            f"srg:steps={N}": sk.auc(grid, back) - sk.auc(grid, f),
            f"abpc:steps={N}": sk.auc(grid, probability(removed(order[::-1]))) - sk.auc(grid, p),
            "aopc:steps=4": np.mean(p[0] - p[:5]),
            "comprehensiveness": p[0] - np.mean([p[k] for k in tops]),
            "sufficiency": p[0] - np.mean([inserted[k] for k in tops]),
            "log-odds:k=25": log(p[2]) - log(p[0]),
            "saco:groups=4": (weight * signs).sum() / np.abs(weight).sum(),
            f"monotonicity:score=logit,steps={N}": np.mean(np.diff(rising) >= 0),
            "non-sensitivity:score=logit": np.mean((np.abs(relevance) <= 0.01 * np.abs(relevance).max()) != (np.abs(single) <= 0.01 * abs(logits(x)[0, 0]))),
            "completeness": abs(relevance.sum() - logits(x)[0, 0]) / abs(logits(x)[0, 0]),
        },
        "infidelity": yeh(False),
        "infidelity:scale=best": yeh(True),
        "max-sensitivity": np.linalg.norm(after - relevance) / np.linalg.norm(relevance),
        "relative-input-stability": float(np.ravel(ris.relative_input_stability_objective(x[None], noisy[None], e, es))[0]),
        "relative-output-stability": float(np.ravel(ros.relative_output_stability_objective(logits(x), logits(noisy), e, es))[0]),
    }


def statistics():
    skew = np.round(np.exp(rng.normal(size=30)), 3)
    bca = stats.bootstrap((skew,), np.mean, method="BCa", n_resamples=50_000, rng=np.random.default_rng(1)).confidence_interval
    wilson = []
    for hits, n in [(81, 100), (10, 10), (0, 20), (7, 15), (1, 5)]:
        ci = stats.binomtest(hits, n).proportion_ci(method="wilson")
        wilson.append({"hits": hits, "n": n, "low": ci.low, "high": ci.high})
    a, b = np.round(rng.normal(size=10) + 0.6, 2), np.round(rng.normal(size=10), 2)
    test = stats.permutation_test((a - b,), lambda d, axis: d.mean(axis), permutation_type="samples", n_resamples=np.inf, vectorized=True)
    return {
        "bca": {"values": skew, "low": bca.low, "high": bca.high},
        "wilson": wilson,
        "student": [{"freedom": df, "share": q, "value": stats.t.ppf(q, df)} for df in (4, 9, 19, 60) for q in (0.9, 0.975)],
        "permutation": {"a": a, "b": b, "p": test.pvalue},
        "friedman": friedman(),
    }


def friedman():
    figures = np.round(rng.normal(size=(7, 4)) + np.arange(4) * 0.4, 2)
    found = stats.friedmanchisquare(*figures.T)
    ranks = np.mean([stats.rankdata(-row) for row in figures], 0)
    critical = stats.studentized_range.ppf(0.95, 4, np.inf) / np.sqrt(2) * np.sqrt(4 * 5 / (6 * 7))
    return {"figures": figures, "chi": found.statistic, "p": found.pvalue, "ranks": ranks, "critical": critical}


def masks():
    polygons = [[[2.0, 1.0, 17.5, 3.0, 14.0, 15.5, 4.0, 12.0]], [[1.0, 1.0, 8.0, 1.0, 8.0, 6.0, 1.0, 6.0]]]
    result = []
    for polygon in polygons:
        encoded = coco.merge(coco.frPyObjects(polygon, 18, 20))
        result.append({"polygon": polygon, "counts": encoded["counts"].decode(), "rows": ["".join(map(str, row)) for row in coco.decode(encoded)]})
    kernel = np.zeros((11, 11))
    kernel[5, 5] = 1
    return {"coco": result, "rise kernel": gaussian_filter(kernel, 5)}


def plain(value):
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (np.floating, float)):
        return float(f"{float(value):.12g}")
    return value.item() if isinstance(value, np.generic) else value


if __name__ == "__main__":
    versions = (Path(__file__).parent / "requirements-evaluation.txt").read_text().split()
    document = {"versions": versions, "weights": WEIGHTS, "maps": maps(), "faithfulness": faithfulness(), "statistics": statistics(), **masks()}
    OUT.write_text(json.dumps(plain(document)) + "\n")
    print(OUT)
