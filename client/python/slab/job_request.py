"""What a JOB REQUEST of the protocol says: kernel or pipeline, options, note."""

import json

from slab.errors import UsageError
from slab.values import plain

LONGEST_NOTE = 16 * 1024


class step:
    """One kernel of a pipeline.

    inputs: names of other steps, and numbers of the job's own inputs (0 is the first). Without them: the output of the
        step before; of the first step all inputs of the job. Exactly one step's output must be used by no other.
    name: how other steps and errors call it; "step 1", "step 2" and so on unless given.
    """

    def __init__(self, kernel, *inputs, name=None, **parameters):
        self.kernel, self.inputs, self.name, self.parameters = kernel, inputs, name, parameters


def what_to_run(kernel, parameters, input_count):
    """The part of JOB REQUEST that says what is computed: a kernel, or the steps of a pipeline."""
    if isinstance(kernel, str):
        return {"kernel": kernel, "parameters": _parameters(parameters)}
    if parameters:
        raise UsageError("a pipeline has no parameters of its own", f"{', '.join(parameters)} was given",
                         "Give them to its steps: slab.step(KERNEL, ...).")
    steps = []
    for number, one in enumerate(kernel):
        if not isinstance(one, step):
            raise UsageError("a pipeline is a list of steps", f"it holds {type(one).__name__}",
                             "Make them with slab.step(KERNEL, ...).")
        steps.append({"name": one.name or f"step {number + 1}", "kernel": one.kernel,
                      "parameters": _parameters(one.parameters)})
    for number, one in enumerate(kernel):
        inputs = one.inputs or ([steps[number - 1]["name"]] if number else range(input_count))
        steps[number]["inputs"] = [{"step": source} if isinstance(source, str) else {"input": int(source)}
                                   for source in inputs]
    return {"steps": steps}


def _parameters(parameters):
    return {name: plain(value, name) for name, value in parameters.items() if value is not None}


def job_options(priority, max_memory, tile_bytes, name, wait_for_space=False):
    chosen = {"priority": int(priority), "max_memory": max_memory, "tile_bytes": tile_bytes, "name": name,
              "wait_for_space": True if wait_for_space else None}
    return {key: value for key, value in chosen.items() if value is not None}


def note_of(sources, output, linked):
    """The job's note, which common/protocol/README.md describes: what `slab resume` needs."""
    note = {"client": "slab", "command": "run" if linked else "submit", "inputs": [source.path for source in sources],
            "output": None, **({} if output is None else output.note())}
    return {"note": note} if len(json.dumps(note)) <= LONGEST_NOTE else {}
