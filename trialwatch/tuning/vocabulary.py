"""Words in the names of metrics and flags, and what they usually mean."""

from __future__ import annotations

import re
from typing import Final


def words_of(name: str) -> list[str]:
    """Split a name at its separators and humps: `valAcc/top1` is val, acc, top1; `mAP50` is one."""
    spaced = re.sub(r"(?<=[a-z]{2})(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[^a-z0-9]+", spaced.lower()) if word]


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# -- metrics --------------------------------------------------------------------------------

COUNTERS: Final = _set(
    """
    epoch epochs step steps iter iters iteration iterations batch batches global it its time eta
    elapsed seconds secs sec ms min mins minutes line pid rank world gpu gpus cpu memory mem
    samples examples lr seed port size total num count id index version
    """
)
"""They say how far a training is, not how good."""
SMALL_IS_GOOD: Final = _set(
    """
    loss losses err error errors mse rmse mae mape msle rmsle nll ce bce crossentropy entropy kl
    ppl perplexity wer cer ter fid kid eer brier cost logloss deviance regret
    """
)
LARGE_IS_GOOD: Final = _set(
    """
    acc accuracy top1 top5 f1 f1score fscore auc auroc auprc roc map map50 ap precision recall
    sensitivity specificity r2 score reward return returns bleu rouge meteor cider iou miou dice
    jaccard psnr ssim ndcg mrr hits kappa mcc correlation pearson spearman elo winrate
    throughput
    """
)
VALIDATION: Final = _set("val valid validation test eval dev holdout")
TRAINING: Final = _set("train training tr")

# -- flags ----------------------------------------------------------------------------------

HOW_TO_TRAIN: Final = _set(
    """
    epoch epochs step steps iteration iterations iters seed port host rank gpu gpus cpu cpus device
    devices worker workers thread threads job jobs verbose verbosity debug log logs interval every
    patience save path file dir folder data dataset output out input name run id fold folds version
    model checkpoint resume nproc nodes eval test limit time timeout precision config
    """
)
"""Their values are not searched."""
RATES: Final = _set(
    """
    lr rate eta alpha lambda decay wd l1 l2 reg regularization eps epsilon tol tolerance penalty c
    """
)
"""Numbers that vary over orders of magnitude."""
SHARES: Final = _set(
    """
    dropout drop momentum beta beta1 beta2 prob probability ratio fraction frac share subsample
    colsample gamma smoothing mix mixup
    """
)
"""Numbers from 0 to 1."""
SIZES: Final = _set(
    "batch bs units hidden width dim dims size neurons channels filters embedding heads"
)
"""Whole numbers that are usually doubled or halved."""
OPTIMIZERS: Final = _set("opt optim optimizer")
