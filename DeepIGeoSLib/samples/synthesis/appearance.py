"""What an imaging device makes of anatomy: contrast, texture, blur, bias, and noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.samples.synthesis.anatomy import Anatomy
from DeepIGeoSLib.samples.synthesis.fields import smooth_noise


def acquired(anatomy: Anatomy, spacing: Sequence[float], random: np.random.Generator) -> np.ndarray:
    """Return an image of anatomy: random intensities and textures, partial volume, degradation.

    Args:
        anatomy: what lies where.
        spacing: of the voxels, in pixels.
        random: source of every choice.

    Returns:
        float32, axes (k, j, i), about in [0, 1].
    """
    labels = anatomy.labels
    count = int(labels.max()) + 1
    means = _means(count, random)
    image = means[labels]
    if random.random() < 0.8:
        image += _texture(labels, count, spacing, random)
    blur = abs(random.normal(0, 0.9))
    if blur > 0.25:
        image = ndimage.gaussian_filter(image, [blur / s for s in spacing], truncate=2.5)
    return degraded(image, spacing, random)


def degraded(
    image: np.ndarray, spacing: Sequence[float], random: np.random.Generator
) -> np.ndarray:
    """Return an image with faults that devices add: bias, gamma, blur, noise, ghosts, inversion.

    Args:
        image: float32, axes (k, j, i); not changed.
        spacing: of the voxels, in pixels.
        random: source of every choice.

    Returns:
        float32, the same shape, about in [0, 1].
    """
    low, high = np.percentile(image, [0.5, 99.5])
    image = (image - np.float32(low)) / np.float32(max(high - low, 1e-6))
    for chance, change in _CHANGES:
        if random.random() < chance:
            image = change(image, spacing, random)
    return image.astype(np.float32, copy=False)


def _means(count: int, random: np.random.Generator) -> np.ndarray:
    """Return an intensity for each label; some labels look alike, as tissues do."""
    means = random.uniform(0, 1, size=count)
    if random.random() < 0.5:
        palette = random.uniform(0, 1, size=max(2, count // 2))
        means = palette[random.integers(len(palette), size=count)] + random.normal(
            0, random.uniform(0, 0.12), size=count
        )
    return means.astype(np.float32)


def _texture(
    labels: np.ndarray, count: int, spacing: Sequence[float], random: np.random.Generator
) -> np.ndarray:
    """Return two textures that are mixed differently in each label."""
    texture = np.zeros(labels.shape, dtype=np.float32)
    for _ in range(2):
        scale = np.exp(random.uniform(np.log(1.5), np.log(20)))
        amplitudes = random.exponential(0.045, size=count) * (random.random(count) < 0.7)
        noise = smooth_noise(labels.shape, spacing, scale, random=random)
        texture += amplitudes.astype(np.float32)[labels] * noise
    return texture


def _bias(image: np.ndarray, spacing: Sequence[float], random: np.random.Generator) -> np.ndarray:
    scale = random.uniform(0.5, 1.5) * max(image.shape[1:])
    field = smooth_noise(image.shape, spacing, scale, random=random)
    return image * np.exp(np.float32(random.uniform(0.05, 0.3)) * field)


def _gamma(image: np.ndarray, _: Sequence[float], random: np.random.Generator) -> np.ndarray:
    return np.sign(image) * np.abs(image) ** np.float32(np.exp(random.normal(0, 0.35)))


def _inverted(image: np.ndarray, _: Sequence[float], __: np.random.Generator) -> np.ndarray:
    return np.float32(1) - image


def _blur(image: np.ndarray, spacing: Sequence[float], random: np.random.Generator) -> np.ndarray:
    width = random.uniform(0.4, 1.5)
    return ndimage.gaussian_filter(image, [width / s for s in spacing], truncate=2.5)


def _noise(image: np.ndarray, _: Sequence[float], random: np.random.Generator) -> np.ndarray:
    level = np.float32(np.exp(random.uniform(np.log(0.01), np.log(0.12))))
    return image + level * random.standard_normal(image.shape, dtype=np.float32)


def _rician(image: np.ndarray, _: Sequence[float], random: np.random.Generator) -> np.ndarray:
    level = np.float32(np.exp(random.uniform(np.log(0.01), np.log(0.12))))
    real = image + level * random.standard_normal(image.shape, dtype=np.float32)
    return np.hypot(real, level * random.standard_normal(image.shape, dtype=np.float32))


def _counting(image: np.ndarray, _: Sequence[float], random: np.random.Generator) -> np.ndarray:
    """Poisson noise, correlated as reconstruction leaves it in PET, SPECT and microscopy."""
    level = np.float32(np.exp(random.uniform(np.log(0.02), np.log(0.15))))
    noise = random.standard_normal(image.shape, dtype=np.float32)
    if random.random() < 0.6:
        width = random.uniform(0.6, 1.6)
        noise = ndimage.gaussian_filter(noise, (0 if len(image) == 1 else width / 2, width, width))
        noise /= noise.std() + np.float32(1e-6)
    return image + level * np.sqrt(np.clip(image, 0.01, None)) * noise


def _speckle(image: np.ndarray, _: Sequence[float], random: np.random.Generator) -> np.ndarray:
    """Multiplicative noise of ultrasound, drawn out across the beam."""
    noise = random.standard_normal(image.shape, dtype=np.float32)
    widths = (0, random.uniform(0.4, 1.0), random.uniform(0.6, 2.5))
    noise = ndimage.gaussian_filter(noise, widths)
    noise /= noise.std() + np.float32(1e-6)
    return image * np.clip(1 + np.float32(random.uniform(0.15, 0.6)) * noise, 0, 4)


def _ghost(image: np.ndarray, _: Sequence[float], random: np.random.Generator) -> np.ndarray:
    """The shifted copy of a patient who moved."""
    axis = int(random.integers(1, 3))
    shift = int(random.integers(3, max(4, image.shape[axis] // 2)))
    share = np.float32(random.uniform(0.05, 0.25))
    return (1 - share) * image + share * np.roll(image, shift, axis=axis)


def _window(image: np.ndarray, _: Sequence[float], random: np.random.Generator) -> np.ndarray:
    """A narrow display window, and the steps of eight bits."""
    low, high = random.uniform(-0.1, 0.35), random.uniform(0.6, 1.1)
    image = np.clip((image - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.round(image * np.float32(255)) / np.float32(255)


_Change = Callable[[np.ndarray, Sequence[float], np.random.Generator], np.ndarray]
_CHANGES: tuple[tuple[float, _Change], ...] = (
    (0.3, _inverted),
    (0.3, _gamma),
    (0.35, _bias),
    (0.15, _blur),
    (0.06, _ghost),
    (0.4, _noise),
    (0.08, _rician),
    (0.1, _counting),
    (0.1, _speckle),
    (0.15, _window),
)
