"""A job's files, held open as long as a daemon may still ask for them."""

import os

from slab.messages import close_all


class HeldFiles:
    """The descriptors of a job's files, kept until it has ended: the next daemon may need them."""

    def __init__(self):
        self._inputs, self._output = [], None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def add(self, descriptor):
        self._inputs.append(descriptor)

    def set_output(self, descriptor):
        self._output = os.dup(descriptor)

    def descriptors(self):
        return self._inputs + ([] if self._output is None else [self._output])

    def input_count(self):
        return len(self._inputs)

    def close(self):
        descriptors, self._inputs, self._output = self.descriptors(), [], None
        close_all(descriptors)
