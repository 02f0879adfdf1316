"""Parameters whose value is an array: inputs behind the kernel's own."""

import os

import numpy as np

from slab.job_request import step

LEAST_DIMENSIONS = 3  # below it an array is a table


def with_images(kernel, inputs, parameters, describe):
    """kernel, inputs and parameters with what is an image moved to the inputs; the parameter then names its number.

    describe: gives the description of the kernel of a name. It is asked only where a value may be an image: an array of
        three dimensions, which may be a table too, or a path.
    """
    inputs = list(inputs)
    if isinstance(kernel, str):
        parameters, images = _split(kernel, parameters, len(inputs), describe)
        return kernel, inputs + images, parameters
    steps, given = [], len(inputs)
    for number, one in enumerate(kernel):
        if isinstance(one, step) and any(map(_may_be_image, one.parameters.values())):
            before = kernel[number - 1] if number else None
            own = list(one.inputs) or ([before.name or f"step {number}"] if number else list(range(given)))
            chosen, images = _split(one.kernel, one.parameters, len(own), describe)
            own += range(len(inputs), len(inputs) + len(images))
            inputs += images
            one = step(one.kernel, *own, name=one.name, **chosen)
        steps.append(one)
    return steps, inputs, parameters


def _may_be_image(value):
    if isinstance(value, str):
        return value.endswith((".npy", ".npy.gz"))
    return isinstance(value, os.PathLike) or (isinstance(value, np.ndarray) and value.ndim >= LEAST_DIMENSIONS)


def _split(kernel, parameters, own_inputs, describe):
    """The parameters with images named "input N", and the images in that order."""
    if not any(map(_may_be_image, parameters.values())):
        return parameters, []
    types = {one["name"]: one["type"] for one in describe(kernel)["parameters"]}
    chosen, images = dict(parameters), []
    for name, value in parameters.items():
        if types.get(name) == "image" and _may_be_image(value):
            images.append(value)
            chosen[name] = f"input {own_inputs + len(images)}"
    return chosen, images
