"""Connections to a daemon, and what they are asked for."""

import contextlib
import os
import secrets

from slab.attached_array import map_array
from slab.embedded_daemon import plugin_paths
from slab.errors import Interrupted, SlabError, UsageError
from slab.guest import check_no_guest
from slab.held_files import HeldFiles
from slab.image_parameters import with_images
from slab.inputs import describe_input, open_input
from slab.job import Job
from slab.job_request import note_of, job_options, what_to_run
from slab.messages import close_all
from slab.outputs import OutputFile
from slab.reconnection import SurvivingLink
from slab.resumed_files import WrittenFile, open_again, reopen_output
from slab.tile_mapping import map_tiles_on


class Connection(SurvivingLink):
    """One connection to a daemon; any number of threads may use it at once.

    socket: the daemon's socket. Default: $SLABD_SOCKET, else the user's own daemon, else the system's.
    daemon: True: never start a private (embedded) daemon where none is running; raise NoDaemon.
    plugins: a library with kernels (slab_kernel.h), a folder of them, or a list of both: always a private daemon, which
        loads them. Refused when one of them cannot be. (A running daemon loads those of its own configuration.)

    reconnect_for: seconds for which run() and wait() look for a daemon that went away; 0: not at all. Default:
        $SLABD_RECONNECT, else 60.

    A connection is this process's: a forked child has to open its own.
    """

    def __init__(self, socket=None, daemon=False, reconnect_for=None, plugins=()):
        super().__init__(socket, daemon, reconnect_for, plugin_paths(plugins))

    def run(self, kernel, *inputs, out=None, overwrite=False, priority=0, max_memory=None, tile_bytes=None,
            name=None, wait_for_space=False, tables=False, **parameters):
        """See slab.run()."""
        job = self._submit(kernel, inputs, parameters, out, overwrite, linked=True,
                           options=job_options(priority, max_memory, tile_bytes, name, wait_for_space))
        try:
            result = self._surviving(job.result)
            return (result, job.tables()) if tables else result
        except BaseException as error:
            if not isinstance(error, SlabError):
                with contextlib.suppress(SlabError):
                    job.cancel()
            raise
        finally:
            job._close_output()
            job._held.close()
            if out is None and job._record["outcome"] == "done":
                with contextlib.suppress(SlabError):
                    job.drop()

    def submit(self, kernel, *inputs, out=None, overwrite=False, priority=0, max_memory=None, tile_bytes=None,
               name=None, wait_for_space=False, note=None, **parameters):
        """See slab.submit()."""
        return self._submit(kernel, inputs, parameters, out, overwrite, linked=False,
                            options=job_options(priority, max_memory, tile_bytes, name, wait_for_space), note=note)

    def _submit(self, kernel, inputs, parameters, out, overwrite, linked, options, note=None):
        kernel, inputs, parameters = with_images(kernel, inputs, parameters, self._describe)
        with contextlib.ExitStack() as at_failure:
            sources = []
            held = at_failure.enter_context(HeldFiles())
            for source in inputs:
                sources.append(open_input(source))
                held.add(sources[-1].descriptor)
            request = {**what_to_run(kernel, parameters, len(sources)), **options,
                       "inputs": [{**source.array, "descriptor": index, "offset": source.offset}
                                  for index, source in enumerate(sources)]}
            output = None
            if out is None and not linked:
                request["keep"] = True  # said, not implied: it outlives this connection
            elif out is not None:
                planned = self.request("plan", **request, output={})[0]["output"]
                output = OutputFile(out, overwrite, named=not linked)
                at_failure.callback(output.close)
                request["output"] = {"descriptor": len(sources), **output.request(planned)}
                held.set_output(output.descriptor)
            request.update(note_of(sources, output, linked) if note is None else {"note": note})
            if linked:
                request.update(linked=True, watch=True)
            try:
                record = self._submit_held(request, held, follow=linked)
            except SlabError:
                raise
            except BaseException:
                # Interrupted before the job's id was known: a linked job ends with the connection at the latest.
                if linked:
                    self.close()
                raise
            job = Job(self, record, output, following=linked, held=held, request=request)
            if output is not None and not linked:
                try:
                    output.commit()
                except UsageError:
                    job.cancel()
                    raise
                output.close()
            at_failure.pop_all()
            return job

    def _submit_held(self, request, held, follow):
        """JOB of a new job. Should the daemon be lost with its answer, the request is sent again under the same
        `submission`: the next daemon may have the job in its journal, and a second one would be a second writer."""
        request["submission"] = secrets.token_hex(16)
        return self._surviving(lambda: self._answer(
            self._send("submit", held.descriptors(), request, follow=follow))[0]["job"])

    def resume(self, job_id):
        """See slab.resume()."""
        record = self.request("show", job=int(job_id))[0]["job"]
        if record["state"] != "interrupted":
            return Job(self, record, None, following=False)
        note = record.get("note")
        if not isinstance(note, dict) or note.get("client") != "slab" or None in note.get("inputs", [None]):
            raise UsageError(f"job {job_id} cannot be resumed by its id alone",
                             "an input was an array in memory, or another program submitted the job",
                             "Drop it and run it again.")
        with contextlib.ExitStack() as at_failure:
            held = at_failure.enter_context(HeldFiles())
            for path in note["inputs"]:
                held.add(open_again(path, os.O_RDONLY, "input"))
            fresh = None
            if note.get("output") is not None:
                held_output, fresh = reopen_output(note)
                if fresh is not None:
                    at_failure.callback(fresh.close)
                    note = {**note, **fresh.note(), "command": "submit"}
                held.set_output(held_output if fresh is None else fresh.descriptor)
                if fresh is None:
                    os.close(held_output)
            output = WrittenFile(note["output"], note.get("output_format")) if note.get("output") else None
            job = Job(self, record, output, following=False, held=held, request={"output": {}} if output else {})
            resumed = self._surviving(
                lambda: job._resume(watch=False, **({"note": note} if fresh is not None else {})))
            if fresh is not None:
                if resumed:
                    fresh.commit()
                fresh.close()
            at_failure.pop_all()
            return job

    def map_tiles(self, function, *inputs, **options):
        """See slab.map_tiles()."""
        return self.map_tiles_and_tell(function, *inputs, **options)[0]

    def map_tiles_and_tell(self, function, *inputs, shape=None, dtype=None, workers=None, tile=None, halo=None, out=None,
                           overwrite=False, progress=False, deadline=None, priority=0, max_memory=None, tile_bytes=None,
                           name=None, wait_for_space=False):
        """The array of slab.map_tiles(), and the job as `slab show --json` shows it."""
        check_no_guest()
        return map_tiles_on(self, function, inputs, shape, dtype, workers, tile, halo, out, overwrite, progress, deadline,
                            job_options(priority, max_memory, tile_bytes, name, wait_for_space))

    def plan(self, kernel, *inputs, max_memory=None, tile_bytes=None, **parameters):
        """See slab.plan()."""
        kernel, inputs, parameters = with_images(kernel, inputs, parameters, self._describe)
        return _without_tag(self.request(
            "plan", **what_to_run(kernel, parameters, len(inputs)),
            inputs=[describe_input(source) for source in inputs], **job_options(0, max_memory, tile_bytes, None))[0])

    def attach(self, job_id):
        """See slab.attach()."""
        answer, descriptors = self.request("attach", job=int(job_id))
        if len(descriptors) != 1:
            close_all(descriptors)
            raise Interrupted("the daemon sent no descriptor of its volume", f"{len(descriptors)} came with attach")
        return map_array(answer, descriptors[0])

    def _describe(self, kernel):
        return self.kernels(kernel)[0]

    def kernels(self, name=None):
        """See slab.kernels()."""
        return self.request("kernels", **({} if name is None else {"name": name}))[0]["kernels"]

    def jobs(self, all=False):
        """See slab.jobs()."""
        return self.request("list", all=bool(all))[0]["jobs"]

    def status(self):
        """See slab.status()."""
        return _without_tag(self.request("status")[0])


def _without_tag(answer):
    return {key: value for key, value in answer.items() if key not in ("answer", "tag")}
