"""Order statistics of scipy.ndimage by slabd: windows that are boxes; footprints with holes are scipy's."""

import numpy as np
import scipy.ndimage

from slab_as_ndimage import _delivered, _of_the_outputs_type, _scipys_errors


class SlabOrderFilters:
    def __init__(self, connection):
        self._slabd = connection

    def __getattr__(self, name):
        return getattr(scipy.ndimage, name)

    def minimum_filter(self, input, *arguments, **options):
        return self._filter("minimum", input, *arguments, **options)

    def median_filter(self, input, *arguments, **options):
        return self._filter("median", input, *arguments, **options)

    def maximum_filter(self, input, *arguments, **options):
        return self._filter("maximum", input, *arguments, **options)

    def minimum_filter1d(self, input, size, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
        return self._run("minimum", input, output, mode, cval, axes=axis, size=size, origin=origin)

    def maximum_filter1d(self, input, size, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
        return self._run("maximum", input, output, mode, cval, axes=axis, size=size, origin=origin)

    def _filter(self, kernel, input, size=None, footprint=None, output=None, mode="reflect", cval=0.0, origin=0):
        is_box = footprint is None or np.all(footprint)
        if (size is None) == (footprint is None) or not is_box or np.iscomplexobj(input):
            scipys = getattr(scipy.ndimage, kernel + "_filter")
            return scipys(input, size=size, footprint=footprint, output=output, mode=mode, cval=cval, origin=origin)
        if footprint is not None:
            size = np.broadcast_to(footprint, np.shape(footprint)).shape
        if isinstance(mode, str):
            return self._run(kernel, input, output, mode, cval, size=size, origin=origin)
        if kernel == "median":
            raise RuntimeError("A sequence of modes is not supported by median_filter")
        result = _of_the_outputs_type(input, output)
        for axis, one in enumerate(mode):  # scipy takes a mode for each axis; slabd one for all of a run
            of_axis = [value if np.ndim(value) == 0 else value[axis] for value in (size, origin)]
            result = self._run(kernel, result, None, one, cval, axes=axis, size=of_axis[0], origin=of_axis[1])
        return _delivered(result, output)

    def _run(self, kernel, input, output, mode, cval, **parameters):
        array = _of_the_outputs_type(input, output)
        given = {name: np.asarray(value).tolist() for name, value in parameters.items()}
        with _scipys_errors():
            result = self._slabd.run(kernel, array, mode={"grid-mirror": "reflect"}.get(mode, mode), cval=float(cval), **given)
        return _delivered(result, output)
