"""Which of a volume's intensities say something of tissue: not padding, not single outliers.

Scanners and programs fill what they did not measure with a value of their own (0, -1024, -2000,
-32768), interpolation and detectors leave single voxels far off, and metal is brighter than
anything around it. None of them may move what the other voxels become.
"""

from __future__ import annotations

import numpy as np

# Percentiles are taken from about so many values: those of millions take too long.
_SAMPLE = 200_000

# A lowest value is padding, or an outlier, if it lies this far below the others, in units of their
# range.
_PADDING_GAP = 0.3

# A value in the volume's corner is padding if it has this share of the tissue's voxels and is so
# many times as frequent as the values next to it.
_CORNER_SHARE = 0.01
_CORNER_SPIKE = 4

# Where one of these percentiles lies so many times as far from the lowest value as the one before,
# artifacts begin. Bright lesions and vessels, even in PET, rise in smaller steps.
_BRIGHTEST = (97, 98, 99, 99.5, 99.75)
_ARTIFACT_STEP = 2.0

# Outliers lie below the first percentile by this share of the range up to the 95th.
_OUTLIER = 0.1


def intensity_range(array: np.ndarray) -> tuple[float, float]:
    """Return the darkest and the brightest intensity that are no padding, outlier or artifact.

    Returns:
        The lowest value, which is that of air; and the 99.5th percentile of what lies above it.
        Both are the same in a volume of one value.
    """
    low = _lowest(array)
    top = _bright_padding(array)
    above = evenly_sampled(array, (array > low) & (array < top))
    if above.size == 0:  # one value, and few below it
        low = float(array.min())
        above = evenly_sampled(array, array > low)
    if above.size == 0:
        return low, low
    return low, float(np.percentile(without_artifacts(above, low), 99.5))


def typical_values(values: np.ndarray, array: np.ndarray) -> np.ndarray:
    """Return the values of tissue without padding and artifacts; all, if that leaves nothing.

    Args:
        values: of the tissue, one axis.
        array: the volume; padding reaches its corners.
    """
    kept = without_artifacts(values, float(values.min()))
    known, counts = np.unique(kept, return_counts=True)
    beside = np.maximum(np.r_[0, counts[:-1]], np.r_[counts[1:], 0])
    spikes = (counts >= _CORNER_SHARE * kept.size) & (counts > _CORNER_SPIKE * beside)
    corners = array[np.ix_(*[(0, -1)] * array.ndim)]
    inside = kept[~np.isin(kept, np.intersect1d(known[spikes], corners))]
    return inside if inside.size else kept


def without_artifacts(values: np.ndarray, low: float) -> np.ndarray:
    """Return the values without those far above nearly all others, if there are many of these.

    Fewer than the half percent that no percentile sees are left alone.

    Args:
        values: one axis.
        low: the lowest value that counts.
    """
    brightest = np.percentile(values, _BRIGHTEST) - low
    steps = np.flatnonzero(brightest[1:] > _ARTIFACT_STEP * brightest[:-1])
    if steps.size == 0 or brightest[steps[0]] <= 0:
        return values
    return values[values <= low + _ARTIFACT_STEP * brightest[steps[0]]]


def evenly_sampled(array: np.ndarray, mask: np.ndarray, size: int = _SAMPLE) -> np.ndarray:
    """Return about ``size`` evenly spaced values of a mask.

    Slice by slice, because all values of the mask together may not fit into memory.
    """
    step = max(1, int(np.count_nonzero(mask)) // size)
    taken, passed = [], 0
    for values, inside in zip(array, mask, strict=True):
        selected = values[inside]
        taken.append(selected[-passed % step :: step])
        passed += selected.size
    return np.concatenate(taken)


def _lowest(array: np.ndarray) -> float:
    """Return the lowest value that is neither padding nor an outlier."""
    least = float(array.min())
    flat = array.reshape(-1)
    sample = np.sort(flat[:: max(1, flat.size // _SAMPLE)])
    sample = _without_padding(sample[: np.searchsorted(sample, _bright_padding(array))])
    first, most = np.percentile(sample, [1, 95])
    floor = float(first - _OUTLIER * (most - first))
    if first >= 0:  # magnitudes, in which interpolation has left negative values
        floor = max(floor, 0.0)
    if least >= floor:
        return least
    return min(float(plane[plane >= floor].min(initial=np.inf)) for plane in array)


def _without_padding(values: np.ndarray) -> np.ndarray:
    """Return sorted values without the lowest ones, where these are padding.

    Zero is the air of most scanners, so only negative values are taken for padding.
    """
    while values[0] < 0:
        others = values[int(np.searchsorted(values, values[0], side="right")) :]
        if others.size == 0:
            break
        darkest, brightest = others[int(0.02 * others.size)], others[int(0.995 * others.size)]
        # Of two values, the lower one is what is dark.
        if darkest == brightest or darkest - values[0] <= _PADDING_GAP * (brightest - darkest):
            break
        values = others
    return values


def _bright_padding(array: np.ndarray) -> float:
    """Return the brightest value where it is padding (4095, 65535), else infinity.

    It reaches a corner, which is air in every scan, and lies far above all other values.
    """
    top = float(array.max())
    if top not in array[np.ix_(*[(0, -1)] * array.ndim)]:
        return np.inf
    flat = array.reshape(-1)
    sample = flat[:: max(1, flat.size // _SAMPLE)]
    others = sample[sample < top]
    if others.size == 0:
        return np.inf
    darkest, brightest = np.percentile(others, [2, 99.5])
    far = darkest < brightest and top - brightest > _PADDING_GAP * (brightest - darkest)
    return top if far else np.inf
