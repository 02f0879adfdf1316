#include "daemon/kernels/expression/block_functions.hpp"
#include "daemon/kernels/fold/fold_functions.hpp"
#include "daemon/kernels/fold/reducers.hpp"
#include "daemon/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "daemon/kernels/fold/fused_tail_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/cache_control.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
#undef SLAB_REDUCER_LOOPS
#define SLAB_REDUCER_LOOPS HWY_NAMESPACE
#include "daemon/kernels/fold/reducer_loops_inl.hpp"

namespace slab::kernels::fold {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// d: the type of the vectors, or of one element. Rounded after each operation, as the instructions would have been.
template <TailTerm term, class D>
HWY_INLINE hn::Vec<D> term_at(D d, const double* const* operands, std::int64_t i) {
    const auto x = hn::LoadU(d, operands[0] + i);
    const auto y = hn::LoadU(d, operands[1] + i);
    if constexpr (term == TailTerm::product) {
        return hn::Mul(x, y);
    } else if constexpr (term == TailTerm::sum) {
        return hn::Add(x, y);
    } else {
        return hn::Add(x, hn::Mul(y, hn::LoadU(d, operands[2] + i)));
    }
}

// Four vectors of lanes at a time. asks: for the operand that is read here first.
template <TailTerm term, bool asks>
HWY_INLINE void gather_rounds(RunLanes& run, const double* const* operands, const double* first_read,
                              std::int64_t count) {
    const hn::CappedTag<double, lanes_of_run / 4> d;
    const auto n = static_cast<std::int64_t>(hn::Lanes(d));
    constexpr std::int64_t line = 64 / sizeof(double);
    for (std::int64_t begin = 0; begin < lanes_of_run; begin += 4 * n) {
        double* const sums = run.sums.data() + begin;
        auto sum0 = hn::Load(d, sums);
        auto sum1 = hn::Load(d, sums + n);
        auto sum2 = hn::Load(d, sums + 2 * n);
        auto sum3 = hn::Load(d, sums + 3 * n);
        for (std::int64_t i = begin; i < count; i += lanes_of_run) {
            for (std::int64_t at = 0; asks && at < 4 * n; at += line) {
                hwy::Prefetch(first_read + i + at + expression::slow_loop_ahead_bytes / sizeof(double));
            }
            sum0 = hn::Add(sum0, term_at<term>(d, operands, i));
            sum1 = hn::Add(sum1, term_at<term>(d, operands, i + n));
            sum2 = hn::Add(sum2, term_at<term>(d, operands, i + 2 * n));
            sum3 = hn::Add(sum3, term_at<term>(d, operands, i + 3 * n));
        }
        hn::Store(sum0, d, sums);
        hn::Store(sum1, d, sums + n);
        hn::Store(sum2, d, sums + 2 * n);
        hn::Store(sum3, d, sums + 3 * n);
    }
}

template <TailTerm term>
void gather_tail(RunLanes& run, const FusedTail& tail, const std::byte* const* operands, std::int64_t count) {
    std::array<const double*, expression::most_operands> from{};
    for (std::size_t k = 0; k < operand_count(term); ++k) {
        from[k] = reinterpret_cast<const double*>(operands[k]);
    }
    const std::int64_t whole = count / lanes_of_run * lanes_of_run;
    if (tail.first_read < 0) {
        gather_rounds<term, false>(run, from.data(), nullptr, whole);
    } else {
        gather_rounds<term, true>(run, from.data(), from[static_cast<std::size_t>(tail.first_read)], whole);
    }
    const hn::CappedTag<double, 1> one;
    for (std::int64_t i = whole; i < count; ++i) {
        run.sums[static_cast<std::size_t>(i - whole)] += hn::GetLane(term_at<term>(one, from.data(), i));
    }
}

void join_lanes(std::byte* state, RunLanes& run, std::int64_t count) {
    const double sum = joined(run.sums, count, [](double x, double y) { return x + y; });
    Sum<double>::add_lane(state_at<Sum<double>>(state, 0), sum, count);
}

void take_tail_loops_here(FoldFunctions& functions) {
    functions.gather_tail = {gather_tail<TailTerm::product>, gather_tail<TailTerm::sum>,
                             gather_tail<TailTerm::sum_with_product>};
    functions.join_lanes = join_lanes;
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels::fold
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace slab::kernels::fold {

HWY_EXPORT(take_tail_loops_here);

void take_tail_loops(FoldFunctions& functions) {
    HWY_DYNAMIC_DISPATCH(take_tail_loops_here)(functions);
}

}  // namespace slab::kernels::fold
#endif
