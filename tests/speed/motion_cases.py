"""Motion correction: series of the size of the references' published figures, and what it costs as frames grow in number."""

import numpy as np
from scipy import ndimage

import motion_peers
import resampling_peers as peers
import rigid_motion
from measuring import compute_record, fresh, kept_result, worker_count
from resampling_cases import small_motions
from speed_daemon import running_daemon, volume_bytes_for


def head_like(shape, rng):
    """Bright within an ellipsoid, with structure of a few voxels, dark outside."""
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij"))
    inside = 1 / (1 + np.exp(12 * (np.sqrt((grid ** 2).sum(0)) - 0.75)))
    structure = ndimage.gaussian_filter(rng.standard_normal(shape), 1.5)
    return 1000 * inside * (1 + 0.25 * structure / structure.std())


def moving_series(count, shape, voxel_mm):
    """float32, frames first; and the pull-backs by which they were moved."""
    rng = np.random.default_rng(1)
    head = ndimage.spline_filter(head_like(shape, rng), 3)
    affine = np.diag([voxel_mm] * 3 + [1.0])
    affine[:3, 3] = -voxel_mm * (np.array(shape) - 1) / 2
    motions = [rigid_motion.pull_back(rigid_motion.spm(row), affine) for row in small_motions(count)]
    frames = [ndimage.affine_transform(head, m[:3, :3], m[:3, 3], order=3, prefilter=False) for m in motions]
    return (np.array(frames) + 20 * rng.standard_normal((count, *shape))).astype(np.float32), affine, np.array(motions)


def realign(settings, name, count, shape, voxel_mm):
    if settings.quick:
        count, shape = 4, (12, 16, 16)
    frames, affine, pull_backs = moving_series(count, shape, voxel_mm)
    path = settings.directory / "series.npy"
    np.save(path, frames)
    peers.compile_reslice()
    motion_peers.compile_loops()
    # What a trilinear reslice alone takes: the yardstick of this machine.
    reslice = {"numba_reslice_linear": fresh(peers.numba_reslice, frames, pull_backs, same_result=False)}
    whole = {"numba_ranks_and_gather": fresh(motion_peers.ranks_and_gather, frames, same_result=False)}
    with running_daemon(settings, volume_bytes_for(frames.nbytes, *[2 * frames.nbytes] * 5, 200 << 20)) as (slabd, _):
        for what, parameters, rivals in (("estimate", {"estimate_only": True}, reslice),
                                         ("estimate and reslice", {}, {**reslice, **whole})):
            def job(parameters=parameters):
                return kept_result(slabd, "realign", str(path), batch="first", affine=affine.tolist(), **parameters)
            record = compute_record(settings, job, frames.nbytes, worker_count(slabd),
                                    rivals if settings.with_peers else {}, read_bytes=frames.nbytes)
            yield {"case": f"{name} {what}", **record}


def realign_small(settings):
    yield from realign(settings, "realign 60 frames of 64x64x36", 60, (36, 64, 64), 3.0)


def realign_large(settings):
    for count in (25, 100, 200):
        yield from realign(settings, f"realign {count} frames of 96x96x60", count, (60, 96, 96), 2.4)


ALL = {"realign_small": realign_small, "realign_large": realign_large}
VOLUME_BYTES = {"realign_small": 700_000_000, "realign_large": 5_500_000_000}
