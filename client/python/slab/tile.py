"""A tile: the part of the output that a function is called for."""

import math


class Tile:
    """A box of the output, as the slices that select it from the whole array.

    z, y, x: the slices along the last three axes of the output (of a 2-D output y and x, of a 1-D one x alone).
    slices: all of them, slowest axis first: out is r[tile.slices].
    padded: the same widened by the halo and cut off at the array's edges: what to read of an input of the output's shape.
    inner: where the tile lies in what padded selects: a[tile.padded][tile.inner] is a[tile.slices].
    shape: how many elements it has along each axis.
    band, index: its number, counted in its band; an output that is in memory whole is one band.
    """

    __slots__ = ("slices", "padded", "inner", "shape", "band", "index")

    def __init__(self, begin, end, extents, halo, band=0, index=0):
        self.slices = tuple(map(slice, begin, end))
        self.shape = tuple(last - first for first, last in zip(begin, end))
        self.padded = tuple(slice(max(0, first - wide), min(extent, last + wide))
                            for first, last, extent, wide in zip(begin, end, extents, halo))
        self.inner = tuple(slice(own.start - wide.start, own.stop - wide.start)
                           for own, wide in zip(self.slices, self.padded))
        self.band, self.index = band, index

    @property
    def x(self):
        return self.slices[-1]

    @property
    def y(self):
        return self._axis("y", 2)

    @property
    def z(self):
        return self._axis("z", 3)

    def _axis(self, name, from_the_end):
        if len(self.slices) < from_the_end:
            raise AttributeError(f"a tile of an output with {len(self.slices)} axes has no {name}")
        return self.slices[-from_the_end]

    def __repr__(self):
        return f"tile {self.index} [{', '.join(f'{one.start}:{one.stop}' for one in self.slices)}]"


class TileGrid:
    """How a band is cut: tiles in C order over the box from begin to end, those at its far borders smaller."""

    def __init__(self, lease, extents, halo):
        self._begin, self._end, self._tile = lease["begin"], lease["end"], lease["tile"]
        self._counts = [-(-(end - begin) // tile) for begin, end, tile in zip(self._begin, self._end, self._tile)]
        self._extents, self._halo, self._band = extents, halo, lease["band"]

    def tile(self, number):
        begin, rest = [0] * len(self._counts), number
        for axis in reversed(range(len(self._counts))):
            rest, along = divmod(rest, self._counts[axis])
            begin[axis] = self._begin[axis] + along * self._tile[axis]
        end = [min(first + tile, last) for first, tile, last in zip(begin, self._tile, self._end)]
        return Tile(begin, end, self._extents, self._halo, self._band, number)

    def out(self, tile, band_array):
        """The tile's part of the band's array."""
        return band_array[tuple(slice(one.start - first, one.stop - first)
                                for one, first in zip(tile.slices, self._begin))]

    @property
    def shape(self):
        """Of the band."""
        return tuple(end - begin for begin, end in zip(self._begin, self._end))

    @property
    def elements(self):
        return math.prod(self.shape)
