"""slab.map_tiles: a function of the user's own fills an array, tile by tile, in processes of the user's own."""

import ctypes
import ctypes.util
import os
import signal
import sys
import unittest

import numpy as np

from build_tree import slab
from slab_harness import DaemonTestCase, SharedDaemonTestCase
from waiting import wait_until


def outer(tile, y, x, out):
    out[:] = y[tile.y, None] * x[tile.x]


def vectors(rows=1000, columns=2000):
    random = np.random.default_rng(7)
    return random.random(rows), random.random(columns)


class TheRecipe(SharedDaemonTestCase):
    daemon_options = {"workers": 2}

    def test_the_outer_product_is_numpys_with_1_2_and_5_guests(self):
        y, x = vectors()
        for workers in (1, 2, 5, None):
            with self.subTest(workers=workers):
                result = self.slabd.map_tiles(outer, y, x, shape=(len(y), len(x)), dtype=float, workers=workers)
                np.testing.assert_array_equal(result, np.outer(y, x))

    def test_every_tile_size_gives_the_same_bytes(self):
        y, x = vectors(101, 203)
        for tile in ((1, 203), (101, 1), (7, 13), (50, 100), (1000, 1000), 30):
            with self.subTest(tile=tile):
                result = self.slabd.map_tiles(outer, y, x, shape=(101, 203), dtype=float, tile=tile)
                np.testing.assert_array_equal(result, np.outer(y, x))

    def test_the_result_is_an_array_like_any_other_and_stays_when_the_next_is_made(self):
        y, x = vectors(100, 200)
        first = self.slabd.map_tiles(outer, y, x, shape=(100, 200), dtype=float)
        second = self.slabd.map_tiles(outer, 2 * y, x, shape=(100, 200), dtype=float)
        first += 1

        np.testing.assert_array_equal(first, np.outer(y, x) + 1)
        np.testing.assert_array_equal(second, np.outer(2 * y, x))

    def test_memory_goes_back_when_the_last_view_is_gone_and_is_used_again(self):
        y, x = vectors(512, 512)
        result = self.slabd.map_tiles(outer, y, x, shape=(512, 512), dtype=float)
        corner = result[:2, :2]
        del result
        while_viewed = self.slabd.status()["guests"]
        del corner
        after = self.slabd.status()["guests"]
        self.slabd.map_tiles(outer, y, x, shape=(512, 512), dtype=float)
        again = self.slabd.status()["guests"]

        self.assertEqual((while_viewed["lingering_bytes"], while_viewed["held_bytes"]), (2 << 20, 0))
        self.assertEqual(after["lingering_bytes"], 0)
        self.assertGreater(after["idle_bytes"], 0)
        self.assertEqual(again["idle_bytes"], after["idle_bytes"])

    def test_1_2_3_and_5_dimensions_of_every_dtype(self):
        def count(tile, out):
            strides = np.cumprod((1, *shape[:0:-1]))[::-1]
            grid = np.ix_(*(np.arange(one.start, one.stop) for one in tile.slices))
            out[...] = sum(indices * stride for indices, stride in zip(grid, strides)).astype(out.dtype)
        for shape in ((1000,), (30, 40), (5, 6, 70), (2, 3, 4, 5, 6)):
            for dtype in ("u1", "i2", "f4", "f8", "c16", "?"):
                with self.subTest(shape=shape, dtype=dtype):
                    result = self.slabd.map_tiles(count, shape=shape, dtype=dtype, tile_bytes="1kB")
                    np.testing.assert_array_equal(result, np.arange(np.prod(shape)).reshape(shape).astype(dtype))

    def test_names_of_axes_and_numbers_of_tiles(self):
        seen = np.zeros(4, dtype="i8")

        def look(tile, out):
            assert tile.z == tile.slices[-3] and tile.y == tile.slices[-2] and tile.x == tile.slices[-1]
            assert out.shape == tile.shape
            out[...] = tile.index
        result = self.slabd.map_tiles(look, shape=(2, 4, 6), dtype=int, tile=(1, 4, 3))

        np.testing.assert_array_equal(result[:, 0, ::3], [[0, 1], [2, 3]])
        self.assertEqual(list(seen), [0, 0, 0, 0])
        tile = slab.Tile((1,), (2,), (5,), (0,))
        with self.assertRaisesRegex(AttributeError, "no y"):
            tile.y

    def test_a_halo_says_where_to_read_and_is_cut_off_at_the_edges(self):
        def box_sum(tile, a, out):
            wide = a[tile.padded]
            padded = np.pad(wide, [(2 - (own.start - w.start), 2 - (w.stop - own.stop))
                                   for own, w in zip(tile.slices, tile.padded)])
            np.testing.assert_array_equal(wide[tile.inner], a[tile.slices])
            out[:] = sum(padded[i:i + out.shape[0], j:j + out.shape[1]] for i in range(5) for j in range(5))
        a = np.random.default_rng(3).integers(0, 100, (57, 83))
        wide = np.pad(a, 2)
        expected = sum(wide[i:i + 57, j:j + 83] for i in range(5) for j in range(5))

        for tile in ((5, 7), (57, 83), (1, 83)):
            np.testing.assert_array_equal(self.slabd.map_tiles(box_sum, a, halo=2, tile=tile), expected)

    def test_closures_lambdas_and_functions_in_c_work(self):
        scale = 3.0
        memset = ctypes.CDLL(ctypes.util.find_library("c")).memset

        def in_c(tile, out):
            for row in out:
                memset(ctypes.c_void_p(row.ctypes.data), 7, ctypes.c_size_t(row.nbytes))
        a = np.arange(12.0).reshape(3, 4)
        by_lambda = self.slabd.map_tiles(lambda tile, a, out: out.__setitem__(..., a[tile.slices] * scale), a)

        np.testing.assert_array_equal(by_lambda, a * 3)
        np.testing.assert_array_equal(self.slabd.map_tiles(in_c, shape=(50, 60), dtype="u1", tile=(7, 9)),
                                      np.full((50, 60), 7))

    def test_functions_that_numba_compiled_work(self):
        try:
            import numba
        except ImportError:
            self.skipTest("numba is not installed")

        @numba.njit
        def fill(y, x, out):
            for i in range(len(y)):
                for j in range(len(x)):
                    out[i, j] = y[i] * x[j]

        def by_numba(tile, y, x, out):
            fill(y[tile.y], x[tile.x], out)
        y, x = vectors(300, 400)
        read_only = y[:2].view()
        read_only.setflags(write=False)
        fill(read_only, read_only, np.empty((2, 2)))  # compiled here, once, for what the guests have

        result = self.slabd.map_tiles(by_numba, y, x, shape=(300, 400), dtype=float, tile=(10, 400))

        np.testing.assert_array_equal(result, np.outer(y, x))

    def test_inputs_are_read_only_in_the_function_and_unchanged_after_it(self):
        def write(tile, a, out):
            a[0] = 1
        a = np.zeros(5)
        with self.assertRaisesRegex(slab.JobFailed, "read-only"):
            self.slabd.map_tiles(write, a)

    def test_several_threads_of_one_program_at_once(self):
        import threading
        y, x = vectors(300, 400)
        results = {}

        def call(factor):
            results[factor] = self.slabd.map_tiles(outer, factor * y, x, shape=(300, 400), dtype=float, tile=(10, 400))
        threads = [threading.Thread(target=call, args=(factor,)) for factor in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        for factor in range(1, 5):
            np.testing.assert_array_equal(results[factor], np.outer(factor * y, x))


class WhatFunctionsDo(SharedDaemonTestCase):
    daemon_options = {"workers": 2}

    def failure_of(self, function, *inputs, **options):
        options.setdefault("shape", (64, 64))
        options.setdefault("tile", (8, 64))
        with self.assertRaises(slab.JobFailed) as caught:
            self.slabd.map_tiles(function, *inputs, dtype=float, **options)
        self.assertEqual(self.slabd.map_tiles(lambda tile, out: out.fill(1), shape=(3,), dtype=float).sum(), 3)
        return caught.exception

    def test_an_exception_names_the_tile_and_brings_the_traceback(self):
        def raises(tile, out):
            if tile.index == 5:
                raise ValueError("no such luck")
            out[:] = 0
        error = self.failure_of(raises)

        self.assertIn("ValueError: no such luck at tile 5 [40:48, 0:64]", error.what)
        self.assertIn("in raises\n", error.because)
        self.assertIn('raise ValueError("no such luck")', error.because)

    def test_the_wrong_shape_is_numpys_own_words(self):
        def misfit(tile, out):
            out[:] = np.zeros((3, 3))
        self.assertIn("could not broadcast", self.failure_of(misfit).what)

    def test_returning_something_is_an_error_that_says_where_values_go(self):
        error = self.failure_of(lambda tile, out: np.zeros(tile.shape))

        self.assertIn("returned something at tile", error.what)
        self.assertIn("ndarray of shape (8, 64)", error.because)
        self.assertIn("out[...] =", error.remedy)

    def test_exits_are_told_from_results(self):
        self.assertIn("called sys.exit(3) at tile", self.failure_of(lambda tile, out: sys.exit(3)).what)
        self.assertIn("killed 3 guests", self.failure_of(lambda tile, out: os._exit(0)).what)

    def test_a_tile_that_crashes_is_named_after_three_tries(self):
        def crashes(tile, out):
            if tile.index == 3:
                os.kill(os.getpid(), signal.SIGSEGV)
            out[:] = 0
        self.assertIn("tile 3 [24:32, 0:64] killed 3 guests", self.failure_of(crashes).what)

    def test_a_tile_that_hangs_is_ended_by_the_deadline(self):
        def hangs(tile, out):
            while tile.index == 1:
                pass
            out[:] = 0
        self.assertIn("tile 1 [8:16, 0:64] killed 3 guests", self.failure_of(hangs, deadline=0.05).what)

    def test_a_function_may_fork(self):
        def forks(tile, out):
            child = os.fork()
            if child == 0:
                return  # it goes on behind the call, where it must not
            os.waitpid(child, 0)
            out[:] = 1
        result = self.slabd.map_tiles(forks, shape=(64, 64), dtype=float, tile=(8, 64))

        self.assertEqual(result.sum(), 64 * 64)

    def test_map_tiles_within_a_tile_is_refused(self):
        def nested(tile, out):
            slab.map_tiles(outer, np.zeros(3), np.zeros(3), shape=(3, 3), dtype=float)
        self.assertIn("UsageError: map_tiles cannot be called by a function that fills tiles",
                      self.failure_of(nested).what)


class BadInput(SharedDaemonTestCase):
    daemon_options = {"workers": 2}

    def refused(self, kind, what, *arguments, **options):
        with self.subTest(what=what), self.assertRaises(kind) as caught:
            self.slabd.map_tiles(*arguments, **options)
        if isinstance(caught.exception, slab.SlabError):
            self.assertRegex(str(caught.exception), what)

    def test_each_is_named(self):
        y, x = vectors(10, 20)
        good = {"shape": (10, 20), "dtype": float}
        usage = slab.UsageError
        self.refused(usage, r"outer\(tile, y, x, out\) cannot be called .*\n.*1 input and out", outer, y, **good)
        self.refused(usage, "3 inputs and out", outer, y, x, x, **good)
        self.refused(usage, "needs a function", "outer", y, x, **good)
        self.refused(usage, "no elements", outer, y, x, shape=(0, 20), dtype=float)
        self.refused(usage, "no elements", outer, y, x, shape=(-1, 20), dtype=float)
        self.refused(usage, "no elements", outer, y, x, shape=(), dtype=float)
        self.refused(usage, "whole number", outer, y, x, shape=(1.5, 20), dtype=float)
        self.refused(usage, "cannot be used|0 to 5 extents", outer, y, x, shape=(1,) * 6, dtype=float)
        self.refused(slab.SlabError, "2\\^63|does not fit", outer, y, x, shape=(2**62, 2), dtype=float)
        self.refused(slab.Refused, "does not fit", outer, y, x, shape=(2**40, 2), dtype=float)
        self.refused(usage, "element type", outer, y, x, shape=(10, 20), dtype=object)
        self.refused(usage, "dtype cannot be", outer, y, x, shape=(10, 20), dtype="nonsense")
        self.refused(usage, "Python objects", outer, np.array([{}], object), x, **good)
        self.refused(usage, "tile cannot be 0", outer, y, x, tile=0, **good)
        self.refused(usage, "2 axes", outer, y, x, tile=(1, 2, 3), **good)
        self.refused(usage, "too small", outer, y, x, shape=(5000, 5000), dtype=float, tile=1)
        self.refused(usage, "halo cannot be", outer, y, x, halo=-1, **good)
        self.refused(usage, "workers cannot be 0", outer, y, x, workers=0, **good)
        self.refused(usage, "deadline cannot be", outer, y, x, deadline=0, **good)
        self.refused(usage, "cannot be used as input", outer, "/nonexistent.npy", x, **good)
        self.refused(usage, "no input that it could be like", lambda tile, out: None)
        self.refused(slab.Refused, "does not fit", outer, y, x, max_memory="1kB", **good)
        self.assertEqual(self.slabd.status()["guests"]["held_bytes"], 0)


class Files(DaemonTestCase):
    def test_an_output_larger_than_max_memory_streams_to_its_file(self):
        daemon = self.start_daemon(workers=2)
        y, x = vectors(4000, 2500)
        path = self.directory / "out.npy"

        result, record = daemon.connect().map_tiles_and_tell(outer, y, x, shape=(4000, 2500), dtype=float, out=path,
                                                             max_memory="16MiB", tile=(30, 1000))

        self.assertGreater(record["bands"], 4)
        self.assertLessEqual(record["holds_bytes"], 16 << 20)
        np.testing.assert_array_equal(result, np.outer(y, x))
        np.testing.assert_array_equal(np.load(path), np.outer(y, x))
        self.assertEqual(self.files(), ["out.npy"])

    def test_files_are_mapped_inputs_and_an_existing_output_stays(self):
        daemon = self.start_daemon(workers=2)
        a = np.arange(60000.0).reshape(300, 200)
        np.save(self.directory / "a.npy", a)
        connection = daemon.connect()

        def double(tile, a, out):
            assert isinstance(a.base, np.memmap)
            out[:] = 2 * a[tile.slices]
        connection.map_tiles(double, self.directory / "a.npy", out=self.directory / "b.npy")
        np.testing.assert_array_equal(np.load(self.directory / "b.npy"), 2 * a)
        with self.assertRaisesRegex(slab.UsageError, "exists"):
            connection.map_tiles(double, self.directory / "a.npy", out=self.directory / "b.npy")

    def test_a_function_that_fails_leaves_no_file(self):
        daemon = self.start_daemon(workers=2)

        def fails(tile, out):
            raise RuntimeError
        with self.assertRaises(slab.JobFailed):
            daemon.connect().map_tiles(fails, shape=(100, 100), dtype=float, out=self.directory / "out.npy")
        self.assertEqual(self.files(), [])


class Jobs(DaemonTestCase):
    def test_it_is_a_job_that_others_see_and_cancel(self):
        import threading
        daemon = self.start_daemon(workers=2)
        connection, other = daemon.connect(), daemon.connect()
        going = self.directory / "going"

        def slow(tile, out):
            going.touch()
            signal.pause()
        failures = []

        def call():
            try:
                connection.map_tiles(slow, shape=(10, 10), dtype=float, tile=1, name="mine", priority=5)
            except slab.SlabError as error:
                failures.append(error)
        thread = threading.Thread(target=call)
        thread.start()
        wait_until(going.exists, "a guest is at work")
        shown = other.jobs()[0]
        listed = daemon.slab("ps")
        cancelled = daemon.slab("cancel", shown["id"])
        thread.join(30)

        self.assert_exit(cancelled, 0)
        self.assertIn("mine", listed.out)
        self.assertEqual((shown["name"], shown["priority"], shown["state"], shown["tiles"]), ("mine", 5, "running", 100))
        self.assertIn("slow", shown["kernel"])
        self.assertIsInstance(failures[0], slab.Cancelled)
        wait_until(lambda: other.status()["guests"]["lingering_bytes"] == 0, "the guests have ended")

    def test_one_that_does_not_fit_now_waits_until_there_is_room(self):
        daemon = self.start_daemon(workers=2, guest_memory="4MiB")
        connection = daemon.connect()

        def ones(tile, out):
            out[:] = 1

        def waits(tile, out):
            going.touch()
            wait_until(enough.exists, "the test has seen enough")
            out[:] = 1
        import threading
        going, enough, results = self.directory / "going", self.directory / "enough", []
        threads = [threading.Thread(target=lambda one=one: results.append(
            connection.map_tiles(one, shape=(1 << 22,), dtype="u1").sum())) for one in (waits, ones)]
        threads[0].start()
        wait_until(going.exists, "the first job is at work")
        threads[1].start()
        wait_until(lambda: any(job["reason"] for job in connection.jobs()), "the second job waits")
        reason = connection.jobs()[-1]["reason"]
        enough.touch()
        for thread in threads:
            thread.join(30)

        self.assertIn("guests' memory", reason)
        self.assertEqual(results, [1 << 22, 1 << 22])

    def test_one_that_only_the_callers_own_results_keep_from_running_is_refused(self):
        connection = self.start_daemon(workers=2, guest_memory="4MiB").connect()

        def ones(tile, out):
            out[:] = 1
        first = connection.map_tiles(ones, shape=(1 << 22,), dtype="u1")
        with self.assertRaisesRegex(slab.Refused, "earlier calls(.|\\n)*del r"):
            connection.map_tiles(ones, shape=(1 << 20,), dtype="u1")
        del first
        self.assertEqual(connection.map_tiles(ones, shape=(1 << 22,), dtype="u1").sum(), 1 << 22)


if __name__ == "__main__":
    unittest.main()
