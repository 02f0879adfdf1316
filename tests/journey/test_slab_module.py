"""The parts of the Python module that need no daemon, and its connection against a daemon played by the test."""

import json
import mmap
import os
import pathlib
import socket
import tempfile
import threading
import unittest
import unittest.mock

import numpy as np

from build_tree import slab
from slab.errors import error_from
from slab.inputs import open_input
from slab.messages import receive_message, send_message
from slab.npy_format import npy_header
from slab.outputs import OutputFile
from slab.sealed_memory import seal
from slab.values import plain

ARRAY = {"dtype": "<f4", "shape": [3, 5], "order": "C"}
DTYPES = ["?", "u1", "i1", "<u2", ">u2", "<i4", ">i8", "<f4", ">f8", "<c8", ">c16"]


def content_of(source):
    """What the daemon would read: the bytes behind the descriptor, taken for the described array."""
    array = source.array
    count = int(np.prod(array["shape"]))
    with open(source.descriptor, "rb", closefd=False) as file:
        file.seek(source.offset)
        elements = np.frombuffer(file.read(count * np.dtype(array["dtype"]).itemsize), array["dtype"])
    return elements.reshape(array["shape"], order=array["order"])


class Inputs(unittest.TestCase):
    def check(self, source, expected, order):
        opened = open_input(source)
        self.addCleanup(opened.close)
        np.testing.assert_array_equal(content_of(opened), expected)
        self.assertEqual(opened.array["order"], order)
        return opened

    def test_every_dtype_arrives_as_it_is(self):
        for dtype in DTYPES:
            with self.subTest(dtype=dtype):
                array = np.arange(24).reshape(2, 3, 4).astype(dtype)
                opened = self.check(array, array, "C")
                self.assertEqual(np.dtype(opened.array["dtype"]), array.dtype)

    def test_fortran_order_is_told_and_not_transposed(self):
        array = np.asfortranarray(np.arange(24.0).reshape(2, 3, 4))
        opened = self.check(array, array, "F")
        self.assertEqual(os.pread(opened.descriptor, array.nbytes, 0), array.tobytes("F"))

    def test_views_arrive_in_c_order(self):
        array = np.arange(240).reshape(6, 40)
        swapped = array.reshape(6, 4, 10).swapaxes(0, 1)
        for view in (array[::2], array[:, ::-3], np.broadcast_to(array[0], (3, 40)), swapped):
            self.check(view, view, "C")

    def test_scalars_empty_arrays_and_lists_are_arrays(self):
        self.check(np.float64(3.5), np.array(3.5), "C")
        self.check(np.zeros((0, 4)), np.zeros((0, 4)), "C")
        self.check([[1, 2], [3, 4]], np.array([[1, 2], [3, 4]]), "C")

    def test_a_copied_array_is_sealed(self):
        opened = self.check(np.arange(10), np.arange(10), "C")
        with self.assertRaises(PermissionError):
            os.pwrite(opened.descriptor, b"x", 0)
        with self.assertRaises(PermissionError):
            os.ftruncate(opened.descriptor, 1)

    def test_memory_that_is_busy_for_a_moment_is_sealed_after_it(self):
        with open(os.memfd_create("seals", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING), "r+b") as memfd:
            memfd.truncate(4096)
            busy = mmap.mmap(memfd.fileno(), 4096)
            threading.Timer(0.05, busy.close).start()
            seal(memfd.fileno())
            with self.assertRaises(PermissionError):
                os.pwrite(memfd.fileno(), b"x", 0)

    def test_other_dtypes_are_usage_errors(self):
        for array in (np.zeros(2, "f2"), np.zeros(2, "O"), np.zeros(2, "U3"), np.zeros(2, "M8[s]"),
                      np.zeros(2, np.longdouble), np.zeros(2, [("a", "i4")])):
            with self.subTest(dtype=array.dtype), self.assertRaises(slab.UsageError):
                open_input(array)


class InputsFromFiles(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "a.npy")
        self.array = np.arange(600, dtype=">i4").reshape(10, 60)
        np.save(self.path, self.array)

    def open(self, source):
        opened = open_input(source)
        self.addCleanup(opened.close)
        return opened

    def is_the_file(self, opened):
        return os.path.samestat(os.fstat(opened.descriptor), os.stat(self.path))

    def test_a_path_passes_the_file_itself(self):
        opened = self.open(self.path)
        self.assertTrue(self.is_the_file(opened))
        np.testing.assert_array_equal(content_of(opened), self.array)

    def test_every_npy_version_and_order_is_read(self):
        for version in ((1, 0), (2, 0), (3, 0)):
            for order in "CF":
                with open(self.path, "wb") as file:
                    np.lib.format.write_array(file, np.asarray(self.array, order=order), version)
                opened = self.open(self.path)
                self.assertEqual(opened.array["order"], order)
                np.testing.assert_array_equal(content_of(opened), self.array)

    def test_a_read_only_memmap_and_its_contiguous_parts_pass_the_file(self):
        mapped = np.load(self.path, mmap_mode="r")
        for part in (mapped, mapped[3:7], np.asarray(mapped)[2:], mapped[4]):
            opened = self.open(part)
            self.assertTrue(self.is_the_file(opened))
            np.testing.assert_array_equal(content_of(opened), part)

    def test_a_memmap_that_may_differ_from_its_file_is_copied(self):
        mapped = np.load(self.path, mmap_mode="r")
        strided = mapped[::2]
        private = np.load(self.path, mmap_mode="c")
        private[0] = 7
        for array in (strided, private):
            opened = self.open(array)
            self.assertFalse(self.is_the_file(opened))
            np.testing.assert_array_equal(content_of(opened), array)

    def test_a_memmap_whose_name_means_another_file_by_now_is_copied(self):
        mapped = np.load(self.path, mmap_mode="r")
        np.save(self.path + ".new.npy", self.array + 1)
        os.replace(self.path + ".new.npy", self.path)

        opened = self.open(mapped)

        np.testing.assert_array_equal(content_of(opened), self.array)

    def test_bad_files_are_usage_errors_that_say_why(self):
        def written(content):
            with open(self.path, "wb") as file:
                file.write(content)
            return self.path
        header = np.lib.format.magic(1, 0)
        whole = pathlib.Path(self.path).read_bytes()
        huge = b"{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, 8)}\n"
        for content, because in ((b"", "not a .npy"), (b"hello", "not a .npy"), (whole[:100], "not a .npy"),
                                 (whole[:-1], "promises"),
                                 (header + len(huge).to_bytes(2, "little") + huge, "promises")):
            with self.subTest(content=content[:20]), self.assertRaises(slab.UsageError) as caught:
                open_input(written(content))
            self.assertIn(because, caught.exception.because)
        np.save(self.path, np.array([{}], object), allow_pickle=True)
        for path, what in ((self.path, "element type"), ("/nonexistent.npy", "cannot be used"),
                           ("/tmp", "cannot be used")):
            with self.subTest(path=path), self.assertRaises(slab.UsageError) as caught:
                open_input(path)
            self.assertIn(what, caught.exception.what)


class Values(unittest.TestCase):
    def test_numpy_values_become_plain_ones(self):
        for value, expected in ((np.float32(2), 2.0), (np.int64(3), 3), (np.bool_(True), True),
                                ((1, np.int8(2)), [1, 2]), (np.array([1.5, 2]), [1.5, 2.0]), ("round", "round"),
                                (2**53, 2**53)):
            self.assertEqual(plain(value), expected)
            json.dumps(plain(value), allow_nan=False)

    def test_what_json_cannot_carry_is_text(self):
        for value, expected in ((float("nan"), "nan"), (-np.inf, "-inf"), (2**64 - 1, "18446744073709551615"),
                                (np.uint64(2**64 - 1), "18446744073709551615"), ([1.0, np.nan], [1.0, "nan"])):
            self.assertEqual(plain(value), expected)

    def test_other_values_are_usage_errors(self):
        for value in (1j, {}, object()):
            with self.assertRaises(slab.UsageError):
                plain(value)

    def test_errors_have_the_type_of_their_kind(self):
        for kind, expected in (("usage", slab.UsageError), ("refused", slab.Refused), ("failed", slab.JobFailed),
                               ("cancelled", slab.Cancelled), ("interrupted", slab.Interrupted)):
            error = error_from({"kind": kind, "what": "w", "because": "b", "remedy": "r"})
            self.assertIs(type(error), expected)
            self.assertEqual(str(error), "w\nbecause: b\ntry: r")


class Headers(unittest.TestCase):
    def test_numpy_reads_a_written_header_and_the_data_start_at_4096(self):
        for dtype in DTYPES:
            for shape in ((), (7,), (2, 3), (1, 2, 3, 4, 5)):
                for order in "CF":
                    with self.subTest(dtype=dtype, shape=shape, order=order), tempfile.NamedTemporaryFile() as file:
                        expected = np.asarray(np.arange(int(np.prod(shape))).reshape(shape).astype(dtype), order=order)
                        header = npy_header({"dtype": expected.dtype.str, "shape": list(shape), "order": order})
                        file.write(header + expected.tobytes(order))
                        file.flush()

                        self.assertEqual(len(header), 4096)
                        for mode in (None, "r"):
                            read = np.load(file.name, mmap_mode=mode)
                            np.testing.assert_array_equal(read, expected)
                            self.assertEqual(read.dtype, expected.dtype)


class Outputs(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.path = os.path.join(directory.name, "out.npy")

    def test_nothing_is_there_before_commit_and_only_the_file_after(self):
        output = OutputFile(self.path, overwrite=False, named=False)
        before = os.listdir(self.directory)
        os.write(output.descriptor, b"content")
        output.commit()
        output.close()

        self.assertEqual(before, [])
        self.assertEqual(os.listdir(self.directory), ["out.npy"])
        self.assertEqual(pathlib.Path(self.path).read_bytes(), b"content")

    def test_an_abandoned_output_leaves_nothing(self):
        for named in (False, True):
            OutputFile(self.path, overwrite=False, named=named).close()
            self.assertEqual(os.listdir(self.directory), [])

    def test_an_existing_file_is_kept_unless_it_may_be_replaced(self):
        with open(self.path, "wb") as file:
            file.write(b"old")
        with self.assertRaises(slab.UsageError):
            OutputFile(self.path, overwrite=False, named=False)
        for named in (False, True):
            output = OutputFile(self.path, overwrite=True, named=named)
            os.write(output.descriptor, b"new")
            output.commit()
            output.close()
            self.assertEqual(pathlib.Path(self.path).read_bytes(), b"new")
            self.assertEqual(os.listdir(self.directory), ["out.npy"])

    def test_a_file_that_came_meanwhile_is_not_replaced(self):
        for named in (False, True):
            output = OutputFile(self.path, overwrite=False, named=named)
            with open(self.path, "wb") as file:
                file.write(b"other")
            with self.assertRaises(slab.UsageError):
                output.commit()
            output.close()
            self.assertEqual(os.listdir(self.directory), ["out.npy"])
            self.assertEqual(pathlib.Path(self.path).read_bytes(), b"other")
            os.unlink(self.path)

    def test_bad_outputs_are_usage_errors(self):
        for path in (os.path.join(self.directory, "no/such/out.npy"), self.directory, "/sys/out.npy", "out.tiff",
                     "out"):
            with self.subTest(path=path), self.assertRaises(slab.UsageError):
                OutputFile(path, overwrite=False, named=False)


class PlayedDaemon:
    """The other end of a connection: answers each request by the function of its name."""

    def __init__(self, test, **answers):
        self.path = os.path.join(tempfile.mkdtemp(prefix="slab-test-"), "s")
        self.requests = []
        self._answers = {"hello": lambda body: {"protocol": 1}, **answers}
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(self.path)
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self.connection = slab.Connection(self.path)
        test.addCleanup(self._end)

    def _serve(self):
        self.peer = self._listener.accept()[0]
        while True:
            try:
                message = receive_message(self.peer)
            except OSError:
                return
            if message is None:
                return
            body, descriptors = message
            self.requests.append((body, len(descriptors)))
            answer = self._answers[body["request"]](body)
            if answer is None:
                self.peer.close()
                return
            sent = answer.pop("descriptors", [])
            send_message(self.peer, {"tag": body["tag"], **answer}, sent)
            for descriptor in descriptors + sent:
                os.close(descriptor)

    def event(self, job):
        send_message(self.peer, {"event": "job", "job": job})

    def _end(self):
        self.connection.close()
        self._thread.join(10)
        self.peer.close()
        self._listener.close()
        os.unlink(self.path)
        os.rmdir(os.path.dirname(self.path))


def job_record(state="ended", outcome="done", **more):
    return {"id": 1, "kernel": "zoom", "state": state, "outcome": outcome, "error": None, "tiles": 4, "tiles_done": 1,
            "output": ARRAY, **more}


class ConnectionToAPlayedDaemon(unittest.TestCase):
    def test_a_large_request_travels_in_a_sealed_memfd(self):
        played = PlayedDaemon(self, kernels=lambda body: {"kernels": [{"name": body["name"][:3]}]})

        self.assertEqual(played.connection.kernels("x" * 300_000), [{"name": "xxx"}])

    def test_a_large_answer_is_read_from_its_memfd(self):
        played = PlayedDaemon(self, list=lambda body: {"jobs": [{"name": "y" * 300_000}]})

        self.assertEqual(len(played.connection.jobs()[0]["name"]), 300_000)

    def test_an_error_answer_is_raised_with_its_three_parts(self):
        error = {"kind": "refused", "what": "no", "because": "full", "remedy": "wait"}
        played = PlayedDaemon(self, status=lambda body: {"error": error})

        with self.assertRaises(slab.Refused) as caught:
            played.connection.status()

        self.assertEqual(caught.exception.args, ("no", "full", "wait"))

    def test_the_daemons_end_interrupts_this_and_every_later_request(self):
        played = PlayedDaemon(self, status=lambda body: None)

        for _ in range(2):
            with self.assertRaises(slab.Interrupted):
                played.connection.status()
        self.assertFalse(played.connection.is_open)

    def test_run_attaches_a_read_only_view_and_drops_the_result(self):
        expected = np.arange(15, dtype="<f4").reshape(3, 5)
        volume = os.memfd_create("volume")
        os.pwrite(volume, expected.tobytes(), 4096 + 8)
        played = PlayedDaemon(
            self, submit=lambda body: {"job": job_record()}, drop=lambda body: {"job": job_record()},
            attach=lambda body: {**ARRAY, "offset": 4104, "volume_bytes": 8192, "descriptors": [volume]})

        result = played.connection.run("zoom", np.zeros(3), factor=2)

        np.testing.assert_array_equal(result, expected)
        self.assertFalse(result.flags.writeable)
        self.assertEqual([(body["request"], count) for body, count in played.requests],
                         [("hello", 0), ("submit", 1), ("attach", 0), ("drop", 0)])

    def test_many_threads_share_one_connection(self):
        played = PlayedDaemon(self, show=lambda body: {"job": {"id": body["job"]}})
        seen = []

        def ask(first):
            for number in range(first, first + 50):
                seen.append(played.connection.request("show", job=number)[0]["job"]["id"] == number)
        threads = [threading.Thread(target=ask, args=(100 * n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

        self.assertEqual(seen, [True] * 400)

    def test_wait_follows_events_to_the_end_and_gives_up_when_told(self):
        played = PlayedDaemon(self, submit=lambda body: {"job": job_record("queued", None)},
                              watch=lambda body: {"job": job_record("running", None)},
                              status=lambda body: {"workers": []})
        job = played.connection.submit("zoom", np.zeros(3))
        with self.assertRaises(TimeoutError):
            job.wait(timeout=0.05)
        played.event(job_record("running", None, tiles_done=3))
        played.event(job_record("ended", "failed", error={"kind": "failed", "what": "tile 3", "because": "",
                                                           "remedy": ""}))
        played.connection.status()  # the events are read by another request

        with self.assertRaises(slab.JobFailed):
            job.wait(timeout=10)

    def test_ctrl_c_during_run_cancels_the_job(self):
        def watch_interrupted(body):
            os.kill(os.getpid(), 2)
            return {"job": job_record("queued", None)}
        played = PlayedDaemon(self, submit=watch_interrupted,
                              cancel=lambda body: {"job": job_record("ended", "cancelled")})

        with self.assertRaises(KeyboardInterrupt):
            played.connection.run("zoom", np.zeros(3))

        asked = [body["request"] for body, _ in played.requests]
        self.assertTrue("cancel" in asked or not played.connection.is_open, asked)

    def test_a_forked_child_cannot_use_it_and_does_not_hold_it_open(self):
        played = PlayedDaemon(self, status=lambda body: {"workers": []})
        child = os.fork()
        if child == 0:
            try:
                played.connection.status()
            except slab.UsageError:
                os._exit(7)
            os._exit(1)

        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 7)
        self.assertEqual(played.connection.status(), {"workers": []})


class WhichDaemon(unittest.TestCase):
    def test_a_named_socket_without_a_daemon_is_no_daemon_and_starts_none(self):
        with self.assertRaises(slab.NoDaemon):
            slab.Connection("/nonexistent/slabd.sock")

    def test_no_program_to_start_is_no_daemon(self):
        with tempfile.TemporaryDirectory() as empty:
            environment = {**os.environ, "XDG_RUNTIME_DIR": empty, "SLABD_PROGRAM": empty + "/slabd"}
            environment.pop("SLABD_SOCKET", None)
            if os.path.exists("/run/slabd/slabd.sock"):
                self.skipTest("a system daemon runs here")
            with unittest.mock.patch.dict(os.environ, environment, clear=True), self.assertRaises(slab.NoDaemon):
                slab.Connection()


if __name__ == "__main__":
    unittest.main()
