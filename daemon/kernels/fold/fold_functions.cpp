#include "daemon/kernels/expression/block_functions.hpp"
#include "daemon/kernels/fold/fold_functions.hpp"

#include "daemon/kernels/fold/reducers.hpp"

#include <algorithm>
#include <cstring>

#define SLAB_REDUCER_LOOPS definition
#include "daemon/kernels/fold/reducer_loops_inl.hpp"

namespace slab::kernels::fold {
namespace {

using expression::Maximum;
using expression::Minimum;

template <class Reducer>
void empty(std::byte* states, std::int64_t count) {
    const typename Reducer::State none{};
    for (std::int64_t i = 0; i < count; ++i) {
        definition::state_at<Reducer>(states, i) = none;
    }
}

template <class Reducer>
void combine(std::byte* state, const std::byte* later) {
    typename Reducer::State other;
    std::memcpy(&other, later, sizeof(other));
    Reducer::combine(definition::state_at<Reducer>(state, 0), other);
}

template <class Reducer>
FoldFunctions functions_of() {
    static_assert(sizeof(typename Reducer::State) % 8 == 0);
    return {static_cast<std::int64_t>(sizeof(typename Reducer::State)), empty<Reducer>,
            definition::run<Reducer>, definition::columns<Reducer>, combine<Reducer>};
}

template <typename T>
FoldFunctions moments() {
    using Reducer = Moments<T>;
    return {static_cast<std::int64_t>(sizeof(typename Reducer::State)), empty<Reducer>,
            definition::moments_run<T>, definition::columns<Reducer>, combine<Reducer>};
}

template <class Choice, typename T>
FoldFunctions index_of() {
    using Reducer = ExtremeIndex<Choice, T>;
    return {static_cast<std::int64_t>(sizeof(typename Reducer::State)), empty<Reducer>,
            definition::index_run<Choice, T>, definition::index_columns<Choice, T>, combine<Reducer>};
}

template <class Choice, typename T>
FoldFunctions extreme_of_type() {
    using Reducer = Extreme<Choice, T>;
    return {static_cast<std::int64_t>(sizeof(typename Reducer::State)), empty<Reducer>,
            definition::extreme_run<Choice, T>, definition::columns<Reducer>, combine<Reducer>};
}

template <class Choice>
FoldFunctions extreme(DType gathered) {
    switch (gathered) {
    case DType::int64: return extreme_of_type<Choice, std::int64_t>();
    case DType::uint64: return extreme_of_type<Choice, std::uint64_t>();
    case DType::complex128: return extreme_of_type<Choice, Complex>();
    default: return extreme_of_type<Choice, double>();
    }
}

template <class Choice>
FoldFunctions extreme_index(DType gathered) {
    switch (gathered) {
    case DType::int64: return index_of<Choice, std::int64_t>();
    case DType::uint64: return index_of<Choice, std::uint64_t>();
    case DType::complex128: return index_of<Choice, Complex>();
    default: return index_of<Choice, double>();
    }
}

FoldFunctions sum(DType gathered) {
    return gathered == DType::float64      ? functions_of<Sum<double>>()
           : gathered == DType::complex128 ? functions_of<Sum<Complex>>()
                                           : functions_of<Sum<std::int64_t>>();
}

FoldFunctions product(DType gathered) {
    return gathered == DType::float64      ? functions_of<Product<double>>()
           : gathered == DType::complex128 ? functions_of<Product<Complex>>()
                                           : functions_of<Product<std::uint64_t>>();
}

}  // namespace

FoldFunctions scalar_fold(Reduction reduction, DType gathered) {
    switch (reduction) {
    case Reduction::minimum: return extreme<Minimum>(gathered);
    case Reduction::maximum: return extreme<Maximum>(gathered);
    case Reduction::least_index: return extreme_index<Minimum>(gathered);
    case Reduction::largest_index: return extreme_index<Maximum>(gathered);
    case Reduction::product: return product(gathered);
    case Reduction::deviation:
    case Reduction::variance: return gathered == DType::complex128 ? moments<Complex>() : moments<double>();
    default: return sum(gathered);
    }
}

FoldFunctions simd_fold(Reduction reduction, DType gathered) {
    FoldFunctions functions = scalar_fold(reduction, gathered);
    take_simd_loops(reduction, gathered, functions);
    return functions;
}

}  // namespace slab::kernels::fold
