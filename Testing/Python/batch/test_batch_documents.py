"""What the documentation says of clusters, as far as it can be tried without one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "Docs" / "batch.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)


def test_the_program_for_slurm_asks_for_the_right_jobs(monkeypatch) -> None:
    pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed")
    asked = []
    monkeypatch.setattr(
        "DeepIGeoSLib.batch.run_batch", lambda *_, workers, **__: asked.append(workers)
    )
    monkeypatch.setattr("dask_jobqueue.SLURMCluster.adapt", lambda *_, **__: None)
    (program,) = [block for block in blocks("python") if "SLURMCluster" in block]
    names: dict = {}
    exec(compile(program, str(PAGE), "exec"), names)
    with names["cluster"] as cluster:
        script = cluster.job_script()
        assert asked[0].scheduler == cluster.scheduler_address
    assert "#SBATCH --cpus-per-task=1\n" in script
    assert "#SBATCH --mem=4G" in script
    assert "export OMP_NUM_THREADS=1" in script
    assert re.search(r"worker tcp://\S+ .*--nthreads 2 .*--memory-limit", script)
    assert "--nworkers" not in script or "--nworkers 1" in script


def test_the_cluster_for_kubernetes_is_whole() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    (text,) = blocks("yaml")
    cluster = yaml.safe_load(text)
    assert (cluster["apiVersion"], cluster["kind"]) == ("kubernetes.dask.org/v1", "DaskCluster")
    (worker,) = cluster["spec"]["worker"]["spec"]["containers"]
    assert worker["args"][:4] == ["dask", "worker", "--nthreads", "2"]
    assert {"name": "OMP_NUM_THREADS", "value": "1"} in worker["env"]
    mounted = {mount["name"] for mount in worker["volumeMounts"]}
    assert mounted == {volume["name"] for volume in cluster["spec"]["worker"]["spec"]["volumes"]}
    ports = cluster["spec"]["scheduler"]["service"]["ports"]
    assert 8786 in [port["port"] for port in ports]
    address = f"tcp://{cluster['metadata']['name']}-scheduler:8786"
    assert address in PAGE.read_text(encoding="utf-8")
