"""Evenness: whether numbers of draws are those of a fair dice."""

import numpy as np


def equally_often(seen):
    """Pearson's chi-squared is within five standard deviations of its mean, for fixed seeds."""
    seen = np.asarray(seen)
    freedom = seen.size - 1
    return ((seen - seen.mean()) ** 2).sum() / seen.mean() <= freedom + 5 * np.sqrt(2 * freedom)
