"""NIfTI files made and read by nibabel, and where a blob lies in the world."""

import pathlib

import nibabel as nib
import numpy as np

DATA = pathlib.Path(nib.__file__).parent / "tests/data"
REAL_FILES = ("functional.nii", "example4d.nii.gz", "anatomical.nii", "example_nifti2.nii.gz")

OBLIQUE = np.array([[-2.0, 0.3, 0.1, 30.0], [0.25, 1.8, -0.4, -40.0], [0.1, 0.5, 2.9, 12.0], [0, 0, 0, 1.0]])


def rigid(sizes, degrees=(20, -35, 50), flipped=False, origin=(10, -20, 5)):
    """An affine of turns and voxel sizes only."""
    x, y, z = np.deg2rad(degrees)
    turn = (np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
            @ np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
            @ np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]]))
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(sizes)
    if flipped:
        affine[:3, 2] *= -1
    affine[:3, 3] = origin
    return affine


def blob(shape, centre, width=2.5):
    """A Gaussian blob around an index."""
    grids = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    squares = sum((grid - at) ** 2 for grid, at in zip(grids, centre))
    return np.exp(-squares / (2 * width**2)).astype(np.float32)


def world_of_mass(image):
    """The centre of mass of the first volume, in the world's mm."""
    data = np.asarray(image.dataobj, np.float64)
    data = data[..., 0] if data.ndim == 4 else data
    grids = np.meshgrid(*(np.arange(n) for n in data.shape), indexing="ij")
    centre = [float((grid * data).sum() / data.sum()) for grid in grids]
    return nib.affines.apply_affine(image.affine, centre)


def real_values(path):
    return nib.load(path).get_fdata()
