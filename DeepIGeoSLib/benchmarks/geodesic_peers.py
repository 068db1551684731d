"""The implementations that the geodesic benchmark compares."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from DeepIGeoSLib.benchmarks.geodesic_cases import Case
from DeepIGeoSLib.geodesic import geodesic_distance, sweeps
from DeepIGeoSLib.geodesic.problem import pose

OURS = "blocks"


@dataclass(frozen=True)
class DistanceMethod:
    """A way to compute distances.

    Attributes:
        name: of the method.
        package: that must be installed.
        prepare: takes a case and returns what is timed: a function without arguments that returns
            the distances. Conversions of the peers' arguments are not timed.
        quantity: what it computes: "ours" (the definition of ``geodesic_distance``), "geodistk"
            (its own definition), or "other" (comparable in effort only).
        large: whether to run it on the largest volume too.
    """

    name: str
    package: str
    prepare: Callable[[Case], Callable[[], np.ndarray]]
    quantity: str
    large: bool = False


def _ours(engine: str) -> Callable[[Case], Callable[[], np.ndarray]]:
    def prepare(case: Case) -> Callable[[], np.ndarray]:
        return lambda: geodesic_distance(
            case.image, case.seeds, case.spacing, weight=case.weight, engine=engine
        )

    return prepare


def _stopped_sweeps(iterations: int) -> Callable[[Case], Callable[[], np.ndarray]]:
    def prepare(case: Case) -> Callable[[], np.ndarray]:
        def compute() -> np.ndarray:
            problem = pose(
                case.image, case.seeds.shape, case.spacing, weight=case.weight, max_distance=None
            )
            distance = np.full(case.seeds.shape, np.inf, dtype=np.float32)
            voxels = np.flatnonzero(case.seeds)
            distance.flat[voxels] = 0
            sweeps.solve(problem, voxels, distance, device="cpu", iterations=iterations)
            return distance

        return compute

    return prepare


def fastgeodis(iterations: int) -> Callable[[Case], Callable[[], np.ndarray]]:
    """Return how to prepare FastGeodis's raster scan."""

    def prepare(case: Case) -> Callable[[], np.ndarray]:
        import FastGeodis

        from DeepIGeoSLib.tensors import to_array, to_tensor

        image = to_tensor(case.image)[None, None]
        mask = to_tensor((~case.seeds).astype(np.float32))[None, None]
        spacing = list(case.spacing)

        def compute() -> np.ndarray:
            found = FastGeodis.generalised_geodesic3d(
                image, mask, spacing, 1e10, case.weight, iterations
            )
            return to_array(found[0, 0])

        return compute

    return prepare


def _geodistk(iterations: int) -> Callable[[Case], Callable[[], np.ndarray]]:
    def prepare(case: Case) -> Callable[[], np.ndarray]:
        import GeodisTK

        seeds = case.seeds.astype(np.uint8)
        return lambda: GeodisTK.geodesic3d_raster_scan(
            case.image, seeds, case.spacing, case.weight, iterations
        )

    return prepare


def _slowness(case: Case) -> np.ndarray:
    """Return the cost per mm of the packages that take a cost for each voxel."""
    gradient = np.linalg.norm(np.gradient(case.image, *case.spacing), axis=0)
    return (1 - case.weight + case.weight * gradient + 1e-5).astype(np.float32)


def _scikit_image(case: Case) -> Callable[[], np.ndarray]:
    from skimage.graph import MCP_Geometric

    slowness, starts = _slowness(case), np.argwhere(case.seeds)
    return lambda: MCP_Geometric(slowness, sampling=case.spacing).find_costs(starts)[0]


def _simple_itk(case: Case) -> Callable[[], np.ndarray]:
    import SimpleITK

    speed = SimpleITK.GetImageFromArray(1 / _slowness(case))
    speed.SetSpacing(case.spacing[::-1])
    starts = [[int(n) for n in place[::-1]] for place in np.argwhere(case.seeds)]
    return lambda: SimpleITK.GetArrayFromImage(SimpleITK.FastMarching(speed, trialPoints=starts))


METHODS = (
    DistanceMethod(OURS, "numba", _ours("blocks"), "ours", large=True),
    DistanceMethod("sweeps, NumPy", "numpy", _ours("sweeps"), "ours"),
    DistanceMethod("sweeps, torch", "torch", _ours("sweeps:cpu"), "ours"),
    DistanceMethod("sweeps, torch, 4 iterations", "torch", _stopped_sweeps(4), "ours"),
    DistanceMethod("FastGeodis, 2 iterations", "FastGeodis", fastgeodis(2), "ours"),
    DistanceMethod("FastGeodis, 4 iterations", "FastGeodis", fastgeodis(4), "ours", large=True),
    DistanceMethod("GeodisTK, 2 iterations", "GeodisTK", _geodistk(2), "geodistk"),
    DistanceMethod("GeodisTK, 4 iterations", "GeodisTK", _geodistk(4), "geodistk"),
    DistanceMethod("scikit-image MCP", "skimage", _scikit_image, "other"),
    DistanceMethod("SimpleITK fast marching", "SimpleITK", _simple_itk, "other"),
)


def available(methods: tuple[DistanceMethod, ...]) -> tuple[list[DistanceMethod], list[str]]:
    """Return the methods whose package is installed, and the missing packages."""
    missing = sorted({method.package for method in methods if not find_spec(method.package)})
    return [method for method in methods if method.package not in missing], missing


def geodistk_truth(case: Case) -> np.ndarray:
    """Return the distances that GeodisTK's raster scan approaches: Dijkstra with its costs.

    A step of d mm with the intensity difference g costs d / ((1 - weight) + weight / (g + 1e-5)).
    """
    search = _search_with_speeds
    if find_spec("numba"):
        import numba

        search = numba.njit(nogil=True)(_search_with_speeds)
    distance = np.full(case.seeds.shape, np.inf)
    distance[case.seeds] = 0
    spacing = np.array(case.spacing)
    search(case.image.astype(float), spacing, case.weight, np.flatnonzero(case.seeds), distance)
    return distance


def _search_with_speeds(
    image: np.ndarray, spacing: np.ndarray, weight: float, voxels: np.ndarray, distance: np.ndarray
) -> None:
    depth, height, width = distance.shape
    heap = [(0.0, voxel) for voxel in voxels]
    while heap:
        near, voxel = heapq.heappop(heap)
        k, rest = divmod(voxel, height * width)
        j, i = divmod(rest, width)
        if near > distance[k, j, i]:
            continue
        for dk in range(-1, 2):
            for dj in range(-1, 2):
                for di in range(-1, 2):
                    n, m, o = k + dk, j + dj, i + di
                    if not (0 <= n < depth and 0 <= m < height and 0 <= o < width):
                        continue
                    squares = (
                        (dk * spacing[0]) ** 2 + (dj * spacing[1]) ** 2 + (di * spacing[2]) ** 2
                    )
                    change = abs(image[k, j, i] - image[n, m, o])
                    speed = (1 - weight) + weight / (change + 1e-5)
                    far = near + np.sqrt(squares) / speed
                    if far < distance[n, m, o]:
                        distance[n, m, o] = far
                        heapq.heappush(heap, (far, (n * height + m) * width + o))
