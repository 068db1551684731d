"""The compiled part of the block solver."""

from __future__ import annotations

import numba
import numpy as np

ROWS = 8
WIDTH = 64
PAD = 8
STRIDE = WIDTH + 2 * PAD
PLANE = (ROWS + 2) * STRIDE
SIZE = (ROWS + 2) * PLANE

# Outside the volume the intensity is infinite: no finite path leads there, and the NaN between two
# outside voxels is never less than anything. So fastmath must not assume that there is none.
_FAST = {"nsz"}


@numba.njit(nogil=True, cache=True, fastmath=_FAST, inline="never")
def _relax_row(d, im, p, q, w0, w1):
    """Relax the row at p from the three neighbors of each voxel in the row at q."""
    a = d[p : p + WIDTH]
    b = im[p : p + WIDTH]
    c = d[q - 1 : q + WIDTH + 1]
    e = im[q - 1 : q + WIDTH + 1]
    for x in range(WIDTH):
        v = b[x]
        m = a[x]
        t = c[x] + (w1 + abs(v - e[x]))
        m = t if t < m else m
        t = c[x + 1] + (w0 + abs(v - e[x + 1]))
        m = t if t < m else m
        t = c[x + 2] + (w1 + abs(v - e[x + 2]))
        m = t if t < m else m
        a[x] = m


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def _scan_rows(d, im, p, w):
    """Relax eight rows from p on along x, forward and backward."""
    for x in range(WIDTH):
        for r in range(ROWS):
            s = p + r * STRIDE + x
            t = d[s - 1] + (w + abs(im[s] - im[s - 1]))
            d[s] = t if t < d[s] else d[s]
    for x in range(WIDTH - 1, -1, -1):
        for r in range(ROWS):
            s = p + r * STRIDE + x
            t = d[s + 1] + (w + abs(im[s] - im[s + 1]))
            d[s] = t if t < d[s] else d[s]


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def _sweep(d, im, lengths):
    first = PLANE + STRIDE + PAD
    for back in range(2):
        step = 1 - 2 * back
        for n in range(ROWS):
            k = n if back == 0 else ROWS - 1 - n
            for j in range(ROWS):
                p = first + k * PLANE + j * STRIDE
                q = p - step * PLANE
                _relax_row(d, im, p, q - STRIDE, lengths[1, 1, 0], lengths[1, 1, 1])
                _relax_row(d, im, p, q, lengths[1, 0, 0], lengths[1, 0, 1])
                _relax_row(d, im, p, q + STRIDE, lengths[1, 1, 0], lengths[1, 1, 1])
    for k in range(ROWS):
        for j in range(ROWS):
            p = first + k * PLANE + j * STRIDE
            _relax_row(d, im, p, p - STRIDE, lengths[0, 1, 0], lengths[0, 1, 1])
        for j in range(ROWS - 1, -1, -1):
            p = first + k * PLANE + j * STRIDE
            _relax_row(d, im, p, p + STRIDE, lengths[0, 1, 0], lengths[0, 1, 1])
        _scan_rows(d, im, first + k * PLANE, lengths[0, 0, 1])


@numba.njit(nogil=True, cache=True)
def _load(volume, k0, j0, i0, outside, scratch):
    depth, height, width = volume.shape
    scratch[:] = outside
    low = max(i0 - 1, 0)
    high = min(i0 + WIDTH + 1, width)
    for k in range(max(k0 - 1, 0), min(k0 + ROWS + 1, depth)):
        for j in range(max(j0 - 1, 0), min(j0 + ROWS + 1, height)):
            p = (k - k0 + 1) * PLANE + (j - j0 + 1) * STRIDE + PAD - i0
            for i in range(low, high):
                scratch[p + i] = volume[k, j, i]


@numba.njit(nogil=True, cache=True)
def _changed(d, before):
    different = np.int32(0)
    a = d.view(np.int32)
    b = before.view(np.int32)
    for x in range(SIZE):
        different |= a[x] ^ b[x]
    return different != 0


@numba.njit(nogil=True, cache=True)
def _store(distance, k0, j0, i0, d, keys, block, counts):
    """Write lowered values back and lower the keys of the neighbors they can improve."""
    depth, height, width = distance.shape
    n = min(ROWS, depth - k0)
    m = min(ROWS, height - j0)
    o = min(WIDTH, width - i0)
    for k in range(n):
        for j in range(m):
            p = (k + 1) * PLANE + (j + 1) * STRIDE + PAD
            least = np.float32(np.inf)
            first = np.float32(np.inf)
            last = np.float32(np.inf)
            for i in range(o):
                v = d[p + i]
                if v < distance[k0 + k, j0 + j, i0 + i]:
                    distance[k0 + k, j0 + j, i0 + i] = v
                    least = min(least, v)
                    if i == 0:
                        first = v
                    if i == o - 1:
                        last = v
            if least == np.inf:
                continue
            for dk in range(-1 if k == 0 else 0, 2 if k == n - 1 else 1):
                for dj in range(-1 if j == 0 else 0, 2 if j == m - 1 else 1):
                    for di in range(-1, 2):
                        key = first if di == -1 else last if di == 1 else least
                        a, b, c = block[0] + dk, block[1] + dj, block[2] + di
                        inside = 0 <= a < counts[0] and 0 <= b < counts[1] and 0 <= c < counts[2]
                        if inside and (dk or dj or di) and key < keys[a, b, c]:
                            keys[a, b, c] = key


@numba.njit(nogil=True, cache=True)
def _visit(image, lengths, distance, keys, k, j, i, scratch):
    im, d, before = scratch
    _load(image, k * ROWS, j * ROWS, i * WIDTH, np.float32(np.inf), im)
    _load(distance, k * ROWS, j * ROWS, i * WIDTH, np.float32(np.inf), d)
    while True:
        before[:] = d
        _sweep(d, im, lengths)
        if not _changed(d, before):
            break
    _store(distance, k * ROWS, j * ROWS, i * WIDTH, d, keys, (k, j, i), keys.shape)


@numba.njit(nogil=True, cache=True)
def relax(image, lengths, voxels, distance):
    """Lower ``distance`` to the fixed point, spreading the values of ``voxels``."""
    depth, height, width = distance.shape
    counts = (-(-depth // ROWS), -(-height // ROWS), -(-width // WIDTH))
    keys = np.full(counts, np.inf, dtype=np.float32)
    for voxel in voxels:
        rest, x = divmod(voxel, width)
        z, y = divmod(rest, height)
        for k in range(max(z - 1, 0), min(z + 2, depth)):
            for j in range(max(y - 1, 0), min(y + 2, height)):
                for i in range(max(x - 1, 0), min(x + 2, width)):
                    keys[k // ROWS, j // ROWS, i // WIDTH] = 0
    scratch = (
        np.empty(SIZE, dtype=np.float32),
        np.empty(SIZE, dtype=np.float32),
        np.empty(SIZE, dtype=np.float32),
    )
    # Blocks whose key is near the smallest are visited in one round: a wider band sweeps blocks
    # whose surroundings are unfinished, a narrower one spends its time on looking for blocks.
    band = np.float32(4) * (lengths[0, 0, 1] + _mean_difference(image))
    while True:
        least = keys.min()
        if least == np.inf:
            return
        for k in range(counts[0]):
            for j in range(counts[1]):
                for i in range(counts[2]):
                    if keys[k, j, i] <= least + band:
                        keys[k, j, i] = np.inf
                        _visit(image, lengths, distance, keys, k, j, i, scratch)


@numba.njit(nogil=True, cache=True)
def _mean_difference(image):
    depth, height, width = image.shape
    total = 0.0
    count = 1
    for k in range(0, depth, 4):
        for j in range(0, height, 4):
            for i in range(1, width):
                total += abs(image[k, j, i] - image[k, j, i - 1])
                count += 1
    return np.float32(total / count)
