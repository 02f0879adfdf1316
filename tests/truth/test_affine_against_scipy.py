"""affine against live scipy.ndimage.affine_transform: every form of matrix, orders, modes, types, layouts."""

import itertools
import unittest

import numpy as np

import scipy_oracle as oracle
from slab_harness import SharedDaemonTestCase

ORDERS = range(0, 6)


def rotation(ndim, angle, centre):
    """About a point, in the last two axes and for three axes in the first two as well; and what it takes to stay there."""
    matrix = np.eye(ndim)
    c, s = np.cos(angle), np.sin(angle)
    matrix[-2:, -2:] = [[c, -s], [s, c]]
    if ndim == 3:
        tilt = np.eye(3)
        tilt[:2, :2] = [[np.cos(angle / 3), np.sin(angle / 3)], [-np.sin(angle / 3), np.cos(angle / 3)]]
        matrix = matrix @ tilt
    return matrix, centre - matrix @ centre


def matrices(shape):
    """name: (matrix, offset, output shape, whether every coordinate is exact in binary)."""
    ndim = len(shape)
    centre = (np.array(shape) - 1) / 2
    shear = np.eye(ndim) + 0.3 * np.eye(ndim, k=1) - 0.2 * np.eye(ndim, k=-1)
    turned, stays = rotation(ndim, 0.4, centre)
    flip = np.fliplr(np.eye(ndim))
    return {
        "identity": (np.eye(ndim), 0.0, None, True),
        "moved by whole voxels": (np.eye(ndim), [2, -3, 1][:ndim], None, True),
        "moved by parts": (np.eye(ndim), [0.37, -2.61, 1.23][:ndim], None, False),
        "a diagonal as a vector": ([0.5, 2, 0.75][:ndim], [1, -2, 0.5][:ndim], [n + 2 for n in shape], True),
        "rotated": (turned, stays, None, False),
        "rotated, larger output": (turned, stays + 1.1, [2 * n + 1 for n in shape], False),
        "a quarter turn": (flip, 0.0, None, True),
        "sheared": (shear, 0.17, None, False),
        "enlarged tenfold": (np.eye(ndim) / 10, 0.03, [3 * n for n in shape], False),
        "far outside": (np.eye(ndim) * 17.3, -101.7, None, False),
        "mirrored": (-np.eye(ndim), centre * 2 + 0.3, None, False),
        "singular: one line everywhere": (np.diag([0.0, 1, 1][:ndim]), [1.5, 0.25, 0.5][:ndim], None, False),
        "singular: one point": (np.zeros((ndim, ndim)), [1.25, 2.5, 0.75][:ndim], None, False),
    }


class AffineAgainstScipy(SharedDaemonTestCase):
    def assert_as_scipy(self, array, matrix, order, mode, offset=0.0, shape=None, cval=37.25, exact=False, prefilter=True):
        native = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
        real = oracle.real_values(
            lambda part, beyond: oracle.transformed(part, matrix, offset, shape, order, mode, beyond, prefilter), native, cval)
        whole = (oracle.transformed(native, matrix, offset, shape, order, mode, cval, prefilter)
                 if native.dtype.kind in "ui" else None)
        full = oracle.homogeneous(matrix, offset, array.ndim)
        ignored = None if exact else oracle.is_a_jump(oracle.input_coordinates(full, real.shape), array.shape, order, mode)
        options = {} if shape is None else {"shape": shape}
        if np.any(offset):
            options["offset"] = np.broadcast_to(np.asarray(offset, float), array.ndim).tolist()

        result = self.slabd.run("affine", array, matrix=matrix, order=order, mode=mode, cval=cval,
                                prefilter="on" if prefilter else "off", **options)

        self.assertEqual(result.dtype, native.dtype)
        fault = oracle.difference(result, real, order, oracle.span_of(native, cval), whole, ignored=ignored)
        if fault:
            self.fail(f"{array.dtype} {array.shape}, matrix={np.asarray(matrix).tolist()}, {options}, order={order}, "
                      f"mode={mode!r}, cval={cval}, prefilter={prefilter}: {fault}")

    def test_every_matrix_order_and_mode_is_scipys(self):
        rng = np.random.default_rng(1)
        for shape, order, mode in itertools.product(((13, 17), (7, 9, 11), (2, 3, 1), (1, 5)), ORDERS, oracle.MODES):
            for name, (matrix, offset, output, exact) in matrices(shape).items():
                with self.subTest(name, shape=shape, order=order, mode=mode):
                    self.assert_as_scipy(oracle.random_values(rng, shape, "f8"), matrix, order, mode, offset, output,
                                         exact=exact)

    def test_one_dimension_is_scipys(self):
        rng = np.random.default_rng(2)
        for matrix, offset, order, mode in itertools.product(([[0.7]], [1.3], [[-1.0]]), (0, 5.3, -30.1), ORDERS,
                                                             oracle.MODES):
            with self.subTest(matrix=matrix, offset=offset, order=order, mode=mode):
                self.assert_as_scipy(oracle.random_values(rng, (23,), "f8"), matrix, order, mode, offset)

    def test_every_form_of_the_matrix_means_the_same(self):
        array = oracle.random_values(np.random.default_rng(3), (9, 10, 11), "f8")
        matrix, offset = rotation(3, 0.3, np.array([4, 4.5, 5]))
        augmented = np.column_stack([matrix, offset])

        separate = self.slabd.run("affine", array, matrix=matrix, offset=offset.tolist())
        wide = self.slabd.run("affine", array, matrix=augmented)
        square = self.slabd.run("affine", array, matrix=np.vstack([augmented, [0, 0, 0, 1]]))

        self.assertIsNone(oracle.difference(separate, oracle.transformed(array, matrix, offset), 3, oracle.span_of(array)))
        np.testing.assert_array_equal(wide, separate)
        np.testing.assert_array_equal(square, separate)

    def test_every_dtype_is_scipys(self):
        rng = np.random.default_rng(4)
        for dtype, order, mode, shape in itertools.product(oracle.DTYPES, ORDERS, ("constant", "grid-constant", "mirror"),
                                                           ((15, 40), (8, 9, 35))):
            with self.subTest(dtype=dtype, order=order, mode=mode, shape=shape):
                matrix, offset = rotation(len(shape), 0.2, (np.array(shape) - 1) / 2)
                self.assert_as_scipy(oracle.random_values(rng, shape, dtype), matrix, order, mode, offset + 0.01, cval=1)

    def test_a_larger_volume_is_scipys(self):
        """Many tiles and leases; small rotations, as of heads."""
        rng = np.random.default_rng(5)
        for dtype, order, mode, angle in itertools.product(("f4", "i2"), (0, 1, 3), ("constant", "nearest"), (0.01, 0.9)):
            with self.subTest(dtype=dtype, order=order, mode=mode, angle=angle):
                shape = (37, 61, 67)
                matrix, offset = rotation(3, angle, (np.array(shape) - 1) / 2)
                self.assert_as_scipy(oracle.random_values(rng, shape, dtype), matrix, order, mode, offset + 0.013)

    def test_without_prefilter_samples_are_coefficients(self):
        rng = np.random.default_rng(6)
        for order, mode in itertools.product(ORDERS, oracle.MODES):
            with self.subTest(order=order, mode=mode):
                matrix, offset = rotation(2, 0.7, np.array([5.0, 7.0]))
                self.assert_as_scipy(oracle.random_values(rng, (11, 15), "f8"), matrix, order, mode, offset + 0.01,
                                     prefilter=False)

    def test_fortran_order_and_other_layouts_have_the_same_values(self):
        rng = np.random.default_rng(7)
        matrix = np.array([[0.9, 0.1, -0.2, 1.1], [0.2, 0.8, 0.1, -0.7], [-0.1, 0.3, 1.1, 0.45]])
        base = oracle.random_values(rng, (9, 12, 20), "f8")
        for name, array in (("Fortran", np.asfortranarray(base)), ("big-endian", base.astype(">f8")),
                            ("strided", base[::2, ::-1, 1:19:3]), ("transposed", base.transpose(2, 0, 1)),
                            ("Fortran complex", np.asfortranarray(base.astype("c16") * (1 + 2j)))):
            for order in ORDERS:
                with self.subTest(name, order=order):
                    self.assert_as_scipy(array, matrix, order, "nearest", shape=(8, 13, 10))


if __name__ == "__main__":
    unittest.main()
