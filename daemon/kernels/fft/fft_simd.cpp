#include "daemon/kernels/fft/fft_program.hpp"
#include "daemon/kernels/interpolation/element_value.hpp"
#include "daemon/kernels/interpolation/working_type.hpp"
#include "daemon/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/fft/fft_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "daemon/kernels/fft/fft_lines_inl.hpp"

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace slab::kernels {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

void fill_fft(const TileCall& call) {
    fill_fft_scalar(call);
}

#else

// Lines of an array that are transformed together: element i of line l is `at` + l * between + i * stride.
struct LineGroup {
    std::int64_t at = 0;
    std::int64_t between = 0;
    std::int64_t stride = 1;
    std::int64_t count = 1;
};

// Calls visit(line, i) for all elements, those next to each other in memory soon after each other.
template <class Visit>
HWY_INLINE void for_each_element(const LineGroup& group, std::int64_t begin, std::int64_t end,
                                 const Visit& visit) {
    if (group.between == 1) {
        for (std::int64_t i = begin; i < end; ++i) {
            for (std::int64_t line = 0; line < group.count; ++line) {
                visit(line, i);
            }
        }
        return;
    }
    for (std::int64_t block = begin; block < end; block += 8) {
        for (std::int64_t line = 0; line < group.count; ++line) {
            for (std::int64_t i = block; i < std::min(block + 8, end); ++i) {
                visit(line, i);
            }
        }
    }
}

// Element i of a line is two parts of type T in its lane of a buffer: `real` and `imaginary` elements behind 2 i lanes.
// Of the vector these loops know the number of lanes alone, so that there is one of them for each type and not for each
// vector.
template <typename T>
struct LaneElements {
    T* buffer;
    std::int64_t lanes;
    std::int64_t real;
    std::int64_t imaginary;

    T* at(std::int64_t line, std::int64_t i) const { return buffer + 2 * i * lanes + line; }
};

template <typename T, typename Element>
HWY_INLINE T part_of(const ConstArrayView& source, std::int64_t part) {
    Element element;
    std::memcpy(&element, source.data + part * static_cast<std::int64_t>(sizeof(Element)), sizeof(Element));
    return as_working<Element, T>(element);
}

template <typename T>
HWY_NOINLINE void load_elements(const ConstArrayView& source, const LineGroup& group, std::int64_t count,
                                const LaneElements<T>& to) {
    const bool is_complex_source = is_complex(source.dtype);
    with_element_type(source.dtype, [&]<typename Element>(Element) {
        for_each_element(group, 0, count, [&](std::int64_t line, std::int64_t i) {
            const std::int64_t at = group.at + line * group.between + i * group.stride;
            T* const parts = to.at(line, i);
            parts[to.real] = part_of<T, Element>(source, is_complex_source ? 2 * at : at);
            parts[to.imaginary] = is_complex_source ? part_of<T, Element>(source, 2 * at + 1) : T(0);
        });
    });
}

// Real lines: elements 2i and 2i + 1 are one complex number.
template <typename T>
HWY_NOINLINE void load_pairs_of_elements(const ConstArrayView& source, const LineGroup& group,
                                         std::int64_t count, const LaneElements<T>& to) {
    with_element_type(source.dtype, [&]<typename Element>(Element) {
        for_each_element(group, 0, count, [&](std::int64_t line, std::int64_t i) {
            const std::int64_t at = group.at + line * group.between + 2 * i * group.stride;
            T* const parts = to.at(line, i);
            parts[to.real] = part_of<T, Element>(source, at);
            parts[to.imaginary] = part_of<T, Element>(source, at + group.stride);
        });
    });
}

// One phase of a tile, as many lines at once as D has lanes.
template <class D>
class FftTile {
    using T = hn::TFromD<D>;
    using Transform = LineTransform<D>;
    using Complex = typename Transform::Complex;

  public:
    FftTile(const FftProgram& program, const TileCall& call)
        : program_(program), phase_(program.phases[call.phase]), call_(call), source_(fft_source(call)),
          axis_(static_cast<std::size_t>(phase_.axis)), lanes_(static_cast<std::int64_t>(hn::Lanes(D()))),
          table_(reinterpret_cast<const T*>(call.table.data() + phase_.table_begin)),
          transform_(D(), phase_.transform_length(), table_),
          scale_(static_cast<int>(call.phase) + 1 == program.phase_count ? static_cast<T>(program.scale)
                                                                         : T(1)) {
        buffer_ = reinterpret_cast<T*>(call.scratch.data());
        other_ = buffer_ + buffer_elements(phase_, lanes_);
    }

    static std::int64_t buffer_elements(const FftPhase& phase, std::int64_t lanes) {
        return (phase.transform_length() + 1) * 2 * lanes;
    }
    static bool fits(const FftPhase& phase) {
        return 2 * buffer_elements(phase, static_cast<std::int64_t>(hn::Lanes(D()))) *
                   static_cast<std::int64_t>(sizeof(T)) <=
               static_cast<std::int64_t>(scratch_bytes);
    }

    void fill() {
        const auto rank = static_cast<std::size_t>(call_.target.shape.rank);
        // Neighbours in memory share vectors: the fastest axis that has some.
        std::size_t across = max_rank;
        for (std::size_t a = 0; a < rank; ++a) {
            if (a != axis_ && (call_.target.shape.extents[a] > 1 || across == max_rank)) {
                across = a;
            }
        }
        std::array<std::int64_t, max_rank> index = call_.tile.begin;
        for (;;) {
            if (across == max_rank) {
                transform_group(index, across, 1);
            } else {
                for (std::int64_t i = call_.tile.begin[across]; i < call_.tile.end[across]; i += lanes_) {
                    index[across] = i;
                    transform_group(index, across, std::min(lanes_, call_.tile.end[across] - i));
                }
                index[across] = call_.tile.begin[across];
            }
            std::size_t a = rank;
            for (;;) {
                if (a == 0) {
                    return;
                }
                --a;
                if (a == axis_ || a == across) {
                    continue;
                }
                if (++index[a] < call_.tile.end[a]) {
                    break;
                }
                index[a] = call_.tile.begin[a];
            }
        }
    }

  private:
    static LineGroup group_of(const Shape& shape, const std::array<std::int64_t, max_rank>& index,
                              std::size_t axis, std::size_t across, std::int64_t count) {
        LineGroup group{0, 1, 1, count};
        for (std::size_t a = 0; a < static_cast<std::size_t>(shape.rank); ++a) {
            group.at = group.at * shape.extents[a] + (a == axis ? 0 : index[a]);
            group.stride *= a > axis ? shape.extents[a] : 1;
            group.between *= across != max_rank && a > across ? shape.extents[a] : 1;
        }
        return group;
    }

    void transform_group(const std::array<std::int64_t, max_rank>& index, std::size_t across,
                         std::int64_t count) {
        const LineGroup from = group_of(source_.shape, index, axis_, across, count);
        const LineGroup to = group_of(call_.target.shape, index, axis_, across, count);
        const bool is_inverse = program_.direction == FftDirection::inverse;
        switch (phase_.kind) {
        case FftKind::complex_to_complex:
            load(from, phase_.n, is_inverse);
            run();
            store(to, is_inverse);
            break;
        case FftKind::real_to_half:
            if (phase_.halves()) {
                load_pairs(from);
                run();
                separate();
            } else {
                load(from, phase_.n, false);
                run();
            }
            store(to, false);
            break;
        case FftKind::half_to_real:
            load(from, phase_.n / 2 + 1, false);
            if (phase_.halves()) {
                join();
                run();
                store_pairs(to);
            } else {
                mirror();
                run();
                store_real(to);
            }
            break;
        }
    }

    HWY_INLINE void clear_unused_lanes(std::int64_t lines, std::int64_t elements) {
        if (lines < lanes_) {
            std::fill_n(buffer_, 2 * elements * lanes_, T(0));
        }
    }

    void load(const LineGroup& group, std::int64_t count, bool is_swapped) {
        constexpr DType own = sizeof(T) == 4 ? DType::complex64 : DType::complex128;
        if (lanes_ > 1 && group.between == 1 && group.count == lanes_ && source_.dtype == own) {
            const auto* from = reinterpret_cast<const T*>(source_.data) + 2 * group.at;
            for (std::int64_t i = 0; i < count; ++i, from += 2 * group.stride) {
                Complex value;
                hn::LoadInterleaved2(D(), from, value.re, value.im);
                transform_.store(is_swapped ? Transform::swapped(value) : value, buffer_, i);
            }
            return;
        }
        clear_unused_lanes(group.count, count);
        const std::int64_t real = is_swapped ? lanes_ : 0;
        load_elements<T>(source_, group, count, {buffer_, lanes_, real, lanes_ - real});
    }

    // Real lines of even length.
    void load_pairs(const LineGroup& group) {
        clear_unused_lanes(group.count, phase_.core);
        load_pairs_of_elements<T>(source_, group, phase_.core, {buffer_, lanes_, 0, lanes_});
    }

    HWY_INLINE void put_result_first(T* result) {
        if (result != buffer_) {
            std::swap(buffer_, other_);
        }
    }

    // The forward transform of the first `core` elements of buffer_, there.
    void run() {
        if (phase_.padded == 0) {
            put_result_first(transform_.run(buffer_, other_));
            return;
        }
        const T* const chirp = table_ + 2 * phase_.padded;
        const T* const filter = chirp + 2 * phase_.core;
        for (std::int64_t i = 0; i < phase_.core; ++i) {
            multiply(i, chirp + 2 * i, false);
        }
        std::fill_n(buffer_ + 2 * phase_.core * lanes_, 2 * (phase_.padded - phase_.core) * lanes_, T(0));
        put_result_first(transform_.run(buffer_, other_));
        for (std::int64_t i = 0; i < phase_.padded; ++i) {
            multiply(i, filter + 2 * i, true);  // exchanged parts make the next transform the inverse one
        }
        put_result_first(transform_.run(buffer_, other_));
        for (std::int64_t i = 0; i < phase_.core; ++i) {
            transform_.store(Transform::product(Transform::swapped(transform_.load(buffer_, i)),
                                                transform_.constant(chirp + 2 * i)),
                             buffer_, i);
        }
    }

    HWY_INLINE void multiply(std::int64_t i, const T* factor, bool is_swapped) {
        const Complex value = Transform::product(transform_.load(buffer_, i), transform_.constant(factor));
        transform_.store(is_swapped ? Transform::swapped(value) : value, buffer_, i);
    }

    const T* roots_of_n() const {
        return table_ + 2 * (phase_.padded == 0 ? phase_.core : 2 * phase_.padded + phase_.core);
    }

    // Of Z, the transform of pairs, the transform of the line: X[k] = E[k] + w^k O[k], where
    // E = (Z[k] + conj Z[h-k]) / 2 and O = -i (Z[k] - conj Z[h-k]) / 2 (Press et al. 2007, section 12.3.2).
    void separate() {
        const std::int64_t h = phase_.core;
        const auto half = hn::Set(D(), T(0.5));
        for (std::int64_t k = 0; k <= h; ++k) {
            const Complex a = transform_.load(buffer_, k == h ? 0 : k);
            const Complex b = Transform::conjugate(transform_.load(buffer_, k == 0 ? 0 : h - k));
            const Complex even = Transform::sum(a, b);
            const Complex rest = Transform::difference(a, b);
            const Complex odd =
                Transform::product({rest.im, hn::Neg(rest.re)}, transform_.constant(roots_of_n() + 2 * k));
            const Complex value = Transform::sum(even, odd);
            transform_.store({hn::Mul(value.re, half), hn::Mul(value.im, half)}, other_, k);
        }
        std::swap(buffer_, other_);
    }

    // The way back, twice as large: Z[k] = (X[k] + conj X[h-k]) + i conj(w^k) (X[k] - conj X[h-k]); the parts exchanged,
    // so that the transform is the inverse one. The ends are real: their imaginary parts do not count.
    void join() {
        const std::int64_t h = phase_.core;
        make_real(0);
        make_real(h);
        for (std::int64_t k = 0; k < h; ++k) {
            const Complex a = transform_.load(buffer_, k);
            const Complex b = Transform::conjugate(transform_.load(buffer_, h - k));
            const Complex odd = Transform::product(
                Transform::difference(a, b), Transform::conjugate(transform_.constant(roots_of_n() + 2 * k)));
            transform_.store(Transform::swapped(Transform::turned(Transform::sum(a, b), odd)), other_, k);
        }
        std::swap(buffer_, other_);
    }

    // Odd lengths: the second half is the mirror image of the first; exchanged as above.
    void mirror() {
        make_real(0);
        for (std::int64_t k = 0; k < phase_.n / 2 + 1; ++k) {
            const Complex value = transform_.load(buffer_, k);
            transform_.store(Transform::swapped(value), other_, k);
            if (k > 0) {
                transform_.store(Transform::swapped(Transform::conjugate(value)), other_, phase_.n - k);
            }
        }
        std::swap(buffer_, other_);
    }

    HWY_INLINE void make_real(std::int64_t k) {
        Complex value = transform_.load(buffer_, k);
        value.im = hn::Zero(D());
        transform_.store(value, buffer_, k);
    }

    std::int64_t first() const { return call_.tile.begin[axis_]; }
    std::int64_t last() const { return call_.tile.end[axis_]; }

    void store(const LineGroup& group, bool is_swapped) const {
        T* const target = reinterpret_cast<T*>(call_.target.data);
        if (lanes_ > 1 && group.between == 1 && group.count == lanes_) {
            const auto scale = hn::Set(D(), scale_);
            for (std::int64_t i = first(); i < last(); ++i) {
                Complex value = transform_.load(buffer_, i);
                value = is_swapped ? Transform::swapped(value) : value;
                hn::StoreInterleaved2(hn::Mul(value.re, scale), hn::Mul(value.im, scale), D(),
                                      target + 2 * (group.at + i * group.stride));
            }
            return;
        }
        const std::int64_t real = is_swapped ? lanes_ : 0;
        for_each_element(group, first(), last(), [&](std::int64_t line, std::int64_t i) {
            const T* const from = buffer_ + 2 * i * lanes_ + line;
            const T pair[2] = {from[real] * scale_, from[lanes_ - real] * scale_};
            std::memcpy(target + 2 * (group.at + line * group.between + i * group.stride), pair,
                        sizeof(pair));
        });
    }

    // The parts were exchanged before the transform: element 2i lies in the imaginary part.
    void store_pairs(const LineGroup& group) const {
        for_each_element(group, first(), last(), [&](std::int64_t line, std::int64_t i) {
            store_one(group, line, i, buffer_[2 * (i / 2) * lanes_ + (i % 2 == 0 ? lanes_ : 0) + line]);
        });
    }

    void store_real(const LineGroup& group) const {
        for_each_element(group, first(), last(), [&](std::int64_t line, std::int64_t i) {
            store_one(group, line, i, buffer_[(2 * i + 1) * lanes_ + line]);
        });
    }

    HWY_INLINE void store_one(const LineGroup& group, std::int64_t line, std::int64_t i, T value) const {
        const T scaled = value * scale_;
        const std::int64_t at = group.at + line * group.between + i * group.stride;
        std::memcpy(call_.target.data + at * static_cast<std::int64_t>(sizeof(T)), &scaled, sizeof(T));
    }

    const FftProgram& program_;
    const FftPhase& phase_;
    const TileCall& call_;
    const ConstArrayView& source_;
    std::size_t axis_;
    std::int64_t lanes_;
    const T* table_;
    Transform transform_;
    T scale_;
    T* buffer_;
    T* other_;
};

// As many lanes as lines of this length fit into scratch; what each computes is the same.
template <typename T>
void fill_of(const FftProgram& program, const TileCall& call) {
    const FftPhase& phase = program.phases[call.phase];
    using Whole = FftTile<hn::ScalableTag<T>>;
    using Few = FftTile<hn::CappedTag<T, 4>>;
    using Single = FftTile<hn::CappedTag<T, 1>>;
    if (Whole::fits(phase)) {
        Whole(program, call).fill();
    } else if (Few::fits(phase)) {
        Few(program, call).fill();
    } else {
        Single(program, call).fill();
    }
}

void fill_fft(const TileCall& call) {
    const auto program = call.program->as<FftProgram>();
    if (program.is_double) {
        fill_of<double>(program, call);
    } else {
        fill_of<float>(program, call);
    }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels {

HWY_EXPORT(fill_fft);

void fill_fft_simd(const TileCall& call) noexcept {
    HWY_DYNAMIC_DISPATCH(fill_fft)(call);
}

}  // namespace slab::kernels
#endif
