"""A run may be stopped, killed, or run out of disk at any moment; nothing is lost."""

from __future__ import annotations

import csv
import errno
import random
import signal
import time
from pathlib import Path

import pytest
import torch

from DeepIGeoSLib import InputError
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.training import checkpoints
from DeepIGeoSLib.training.checkpoints import WholeCheckpoints, read_checkpoint, remove_torn
from DeepIGeoSLib.training.curve import StepTable


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)["state_dict"]


def assert_same_run(first: Path, second: Path) -> None:
    """Check that two runs' curves, measures and weights are the same, bit for bit."""
    for name in ("curve.csv", "validation.csv"):
        assert (first / name).read_text() == (second / name).read_text(), name
    for name in ("last.ckpt", "best.ckpt"):
        expected, found = weights_of(first / name), weights_of(second / name)
        assert expected.keys() == found.keys()
        for key, value in expected.items():
            assert torch.equal(value, found[key]), (name, key)


@pytest.mark.slow
@pytest.mark.parametrize(
    "network", [{"architecture": "dilated", "dimension": 2, "options": {"features": 4}}]
)
def test_runs_killed_at_random_moments_end_like_one_that_was_not(
    configure, start, tmp_path: Path, network: dict
) -> None:
    """The 2D network has dropout, whose random numbers must go on, too."""
    optimization = {"steps": 60, "batch_size": 2}
    changes = {"network": network, "optimization": optimization, "validate_every": 10}
    whole = start(configure("whole", **changes))
    assert whole.wait() == 0, whole.stderr.read()
    killed = configure("killed", **changes)
    chance = random.Random()
    last, steps = tmp_path / "killed" / "last.ckpt", [0]
    for _ in range(2):
        run = start(killed)
        while run.poll() is None and (
            not last.is_file() or read_checkpoint(last)["global_step"] == steps[-1]
        ):
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 0.5))
        run.kill()
        run.wait()
        steps.append(read_checkpoint(last)["global_step"])
    final = start(killed)
    assert final.wait() == 0, final.stderr.read()
    assert_same_run(tmp_path / "whole", tmp_path / "killed")
    assert not list((tmp_path / "killed").glob(".*"))
    assert 0 < steps[1] < 60


@pytest.mark.slow
def test_ctrl_c_saves_and_stops_and_the_run_goes_on(configure, start, tmp_path: Path) -> None:
    changes = {"optimization": {"steps": 20}, "checkpoint_every": 16, "workers": 1}
    whole = start(configure("whole", **changes))
    assert whole.wait() == 0, whole.stderr.read()
    stopped = configure("stopped", **changes)
    run = start(stopped)
    while run.poll() is None and not (tmp_path / "stopped" / "validation.csv").is_file():
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    assert run.wait() == 1
    assert run.stderr.read().strip().endswith("deepigeos: Stopped.")
    step = read_checkpoint(tmp_path / "stopped" / "last.ckpt")["global_step"]
    assert 4 <= step < 16  # before the first regular checkpoint
    again = start(stopped)
    assert again.wait() == 0, again.stderr.read()
    assert_same_run(tmp_path / "whole", tmp_path / "stopped")


def test_a_finished_run_has_nothing_left_to_do(configure, tmp_path: Path) -> None:
    path = configure("done", optimization={"steps": 3})
    assert main(["train", str(path)]) == 0
    before = (tmp_path / "done" / "curve.csv").read_bytes()
    written = (tmp_path / "done" / "best.ckpt").stat().st_mtime_ns
    assert main(["train", str(path)]) == 0
    assert (tmp_path / "done" / "curve.csv").read_bytes() == before
    assert (tmp_path / "done" / "best.ckpt").stat().st_mtime_ns == written
    with (tmp_path / "done" / "validation.csv").open() as stream:  # though 3 is no multiple of 4
        assert {row[0] for row in csv.reader(stream)} == {"3"}


def test_a_loss_that_becomes_nan_leaves_the_last_good_checkpoint(
    configure, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    plain = {"schedule": "constant", "optimizer": "sgd"}
    assert main(["train", str(configure("wild", optimization={"steps": 4, **plain}))]) == 0
    wild = {"steps": 40, "learning_rate": 1e30, "gradient_clip": 1e9, **plain}
    path = configure("wild", optimization=wild)
    assert main(["train", str(path)]) == 2
    message = capsys.readouterr().err
    assert "became infinite or NaN at the learning rate 1e+30" in message
    assert "the last good weights, of step 4, are in" in message
    for checkpoint in (tmp_path / "wild").glob("*.ckpt"):
        for key, value in weights_of(checkpoint).items():
            assert value.isfinite().all(), (checkpoint, key)


def test_a_lower_rate_is_used_when_a_run_goes_on(configure, tmp_path: Path) -> None:
    fast = configure("rate", optimization={"steps": 2, "schedule": "constant"})
    assert main(["train", str(fast)]) == 0
    slow = configure(
        "rate", optimization={"steps": 4, "schedule": "constant", "learning_rate": 1e-5}
    )
    assert main(["train", str(slow)]) == 0
    saved = torch.load(tmp_path / "rate" / "last.ckpt", weights_only=True)
    assert saved["optimizer_states"][0]["param_groups"][0]["lr"] == pytest.approx(1e-5)


def test_a_full_disk_leaves_the_old_checkpoint_and_is_named(
    configure, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = configure("full", optimization={"steps": 8})
    written = Path.write_bytes

    def full_after_step_4(self: Path, content: bytes) -> int:
        if (tmp_path / "full" / "last.ckpt").is_file():
            written(self, bytes(content)[:1000])
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(self, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full_after_step_4)
        assert main(["train", str(path)]) == 2
    message = capsys.readouterr().err
    assert message.endswith("can't be written: No space left on device.\n")
    assert read_checkpoint(tmp_path / "full" / "last.ckpt")["global_step"] == 2
    assert not list((tmp_path / "full").glob(".*"))
    assert main(["train", str(path)]) == 0  # there is room again


def test_a_full_disk_is_named_by_the_curve_too(tmp_path: Path) -> None:
    table = StepTable(Path("/dev/full"))
    with pytest.raises(InputError, match="/dev/full can't be written: No space left"):
        table.append([(1, 2.0)])


def test_rows_after_the_checkpoint_are_removed(tmp_path: Path) -> None:
    table = StepTable(tmp_path / "curve.csv")
    table.append([(1, "a"), (2, "b"), (3, "c")])
    with table.path.open("a") as stream:
        stream.write("4,to")  # torn by a kill
    table.cut_after(2)
    assert table.path.read_text().split() == ["1,a", "2,b"]
    StepTable(tmp_path / "none.csv").cut_after(2)


def test_a_checkpoint_is_written_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "last.ckpt"
    checkpoint = {"state_dict": {}, "global_step": 1}
    WholeCheckpoints().save_checkpoint(checkpoint, path)
    assert read_checkpoint(path) == checkpoint

    def killed(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr("DeepIGeoSLib.files.os.replace", killed)
    with pytest.raises(SystemExit):
        WholeCheckpoints().save_checkpoint({**checkpoint, "global_step": 2}, path)
    assert read_checkpoint(path) == checkpoint
    torn = tmp_path / ".0123456789ab-last.ckpt"
    torn.write_bytes(b"half")
    remove_torn(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["last.ckpt"]


def test_a_damaged_or_foreign_checkpoint_is_refused(
    configure, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = configure("odd", optimization={"steps": 2})
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / checkpoints.LAST).write_bytes(b"no checkpoint")
    assert main(["train", str(path)]) == 2
    assert "last.ckpt is no checkpoint of a training run" in capsys.readouterr().err
    (tmp_path / "odd" / checkpoints.LAST).unlink()
    assert main(["train", str(path)]) == 0
    other = configure("odd", optimization={"steps": 4}, network={"options": {"features": 8}})
    assert main(["train", str(other)]) == 2
    assert "holds another network than the configuration describes" in capsys.readouterr().err
    other = configure("odd", optimization={"steps": 4, "optimizer": "sgd"})
    assert main(["train", str(other)]) == 2
    assert "was trained with another optimizer" in capsys.readouterr().err
