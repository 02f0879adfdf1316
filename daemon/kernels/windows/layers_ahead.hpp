#pragma once

#include "daemon/kernels/streaming/lines_ahead.hpp"

#include <algorithm>

namespace slab::kernels {

// What the layers of a block are made of comes nearer a few layers ahead of them: three quarters of it while rows are summed
// up, the rest while layers are, in which time nothing else is read from memory.
class LayersAhead {
  public:
    // layers: of the source. steps_of_layer: of the sums of a layer's rows. steps_between: of the sums of layers, once in
    // `together` layers; 0: nothing can be asked for with those.
    LayersAhead(const LinesAhead& lines, std::int64_t layers, std::int64_t steps_of_layer,
                std::int64_t steps_between, std::int64_t together)
        : lines_(lines), layers_(layers), steps_of_layer_(steps_of_layer), is_shared_(steps_between > 0) {
        if (is_shared_) {
            const std::int64_t all = lines.lines_of_layer();
            share_of_layer_ = all - all / 4;
            between_ = divide_up(all / 4 * together, steps_between);
        }
    }
    LayersAhead(const LayersAhead&) = delete;  // who asks has its address
    LayersAhead& operator=(const LayersAhead&) = delete;

    // While the rows of layer i of the source are summed up.
    Asking while_layer(std::int64_t i) {
        lines_.expect(i + 1, std::min(layers_, i + 1 + (is_shared_ ? most_ahead : 1)));
        return {&lines_, divide_up(std::max(lines_.due(), share_of_layer_), steps_of_layer_)};
    }
    Asking between_layers() { return is_shared_ ? Asking{&lines_, between_} : Asking{}; }

  private:
    static constexpr std::int64_t most_ahead = 3;

    static std::int64_t divide_up(std::int64_t lines, std::int64_t steps) {
        return (lines + steps - 1) / steps;
    }

    LinesAhead lines_;
    std::int64_t layers_;
    std::int64_t steps_of_layer_;
    bool is_shared_;
    std::int64_t share_of_layer_ = 0;
    std::int64_t between_ = 0;
};

}  // namespace slab::kernels
