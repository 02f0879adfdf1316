// Compiled once per instruction set: no ordinary guard (see hwy/foreach_target.h). The compiler makes vectors of these loops,
// each for its instruction set; nothing is contracted or reordered, so that all give the same bits.
#if defined(SLAB_REALIGN_VOXEL_LOOPS) == defined(HWY_TARGET_TOGGLE)
#ifdef SLAB_REALIGN_VOXEL_LOOPS
#undef SLAB_REALIGN_VOXEL_LOOPS
#else
#define SLAB_REALIGN_VOXEL_LOOPS
#endif

HWY_BEFORE_NAMESPACE();
namespace slab::kernels::realign {
namespace HWY_NAMESPACE {

// Four floats at once: a row of taps.
using Four [[gnu::vector_size(16)]] = float;

HWY_INLINE Four load_four(const float* from) {
    Four four;
    std::memcpy(&four, from, sizeof(four));
    return four;
}

// Where the voxels of a group look.
struct GroupPlaces {
    std::array<std::array<std::int32_t, voxel_group>, 3> first;  // index below
    std::array<std::array<float, voxel_group>, 3> rest;
    std::array<double, voxel_group> beyond;  // how far outside, in voxels; not above 0: inside
};

// Loops over doubles without a branch, so that the compiler makes vectors of them.
HWY_INLINE void find_places(const AffineMatrix& pull_back, const Extents& extents,
                            const ReferenceImage& reference, std::int64_t begin, std::int64_t count,
                            GroupPlaces& places) {
    const float* HWY_RESTRICT const at0 = reference.at[0] + begin;
    const float* HWY_RESTRICT const at1 = reference.at[1] + begin;
    const float* HWY_RESTRICT const at2 = reference.at[2] + begin;
    double* HWY_RESTRICT const beyond = places.beyond.data();
    places.beyond.fill(0.0);
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const std::array<double, 4> row = pull_back.rows[axis];
        std::int32_t* HWY_RESTRICT const first = places.first[axis].data();
        float* HWY_RESTRICT const rest = places.rest[axis].data();
        const auto last = static_cast<double>(extents[axis] - 1);
        const double last_first = std::max(last - 1.0, 0.0);
        std::array<double, voxel_group> places_below;
        double* HWY_RESTRICT const below = places_below.data();
        for (std::int64_t i = 0; i < count; ++i) {
            const double coordinate = row[0] * static_cast<double>(at0[i]) +
                                      row[1] * static_cast<double>(at1[i]) +
                                      row[2] * static_cast<double>(at2[i]) + row[3];
            const double before = -face_tolerance - coordinate;
            const double behind = coordinate - (last + face_tolerance);
            const double outside = before > behind ? before : behind;
            beyond[i] = outside > beyond[i] ? outside : beyond[i];
            double low = std::floor(coordinate);
            low = low < 0.0 ? 0.0 : low;
            low = low > last_first ? last_first : low;
            below[i] = low;
            rest[i] = static_cast<float>(coordinate - low);
        }
        for (std::int64_t i = 0; i < count; ++i) {
            first[i] = static_cast<std::int32_t>(below[i]);
        }
    }
}

// The weights of a cubic B-spline's four taps at t behind the second.
HWY_INLINE Four cubic_weights(float t) {
    constexpr Four constant{1.0F / 6.0F, 4.0F / 6.0F, 1.0F / 6.0F, 0.0F};
    constexpr Four linear{-0.5F, 0.0F, 0.5F, 0.0F};
    constexpr Four square{0.5F, -1.0F, 0.5F, 0.0F};
    constexpr Four cube{-1.0F / 6.0F, 0.5F, -0.5F, 1.0F / 6.0F};
    return constant + t * (linear + t * (square + t * cube));
}

HWY_INLINE float sum_of(Four four) {
    return (four[0] + four[2]) + (four[1] + four[3]);
}

HWY_INLINE float cubic_at(const float* coefficients, std::int64_t row, std::int64_t plane,
                          const GroupPlaces& places, std::size_t i) {
    const Four z = cubic_weights(places.rest[0][i]);
    const Four y = cubic_weights(places.rest[1][i]);
    // The tap before the first one is at the same index of the longer array.
    const float* from =
        coefficients + places.first[0][i] * plane + places.first[1][i] * row + places.first[2][i];
    Four sums[4];
    for (std::size_t k = 0; k < 4; ++k, from += plane) {
        const Four weights = z[k] * y;
        const Four low = load_four(from) * weights[0] + load_four(from + row) * weights[1];
        const Four high = load_four(from + 2 * row) * weights[2] + load_four(from + 3 * row) * weights[3];
        sums[k] = low + high;
    }
    return sum_of(((sums[0] + sums[1]) + (sums[2] + sums[3])) * cubic_weights(places.rest[2][i]));
}

HWY_INLINE float linear_at(const float* samples, const Extents& extents, const GroupPlaces& places,
                           std::size_t i) {
    const std::int64_t x_step = extents[2] > 1 ? 1 : 0;
    const std::int64_t y_step = extents[1] > 1 ? extents[2] : 0;
    const std::int64_t z_step = extents[0] > 1 ? extents[1] * extents[2] : 0;
    const float* from =
        samples + (places.first[0][i] * extents[1] + places.first[1][i]) * extents[2] + places.first[2][i];
    // A place within the tolerance beyond a face is the face.
    const float z = std::clamp(places.rest[0][i], 0.0F, 1.0F);
    const float y = std::clamp(places.rest[1][i], 0.0F, 1.0F);
    const float x = std::clamp(places.rest[2][i], 0.0F, 1.0F);
    const auto along_x = [&](const float* row) HWY_ATTR { return row[0] + x * (row[x_step] - row[0]); };
    const auto in_plane = [&](const float* plane) HWY_ATTR {
        const float low = along_x(plane);
        return low + y * (along_x(plane + y_step) - low);
    };
    const float low = in_plane(from);
    return low + z * (in_plane(from + z_step) - low);
}

void sample_group(const SampledFrame& frame, const ReferenceImage& reference, const AffineMatrix& pull_back,
                  std::int64_t begin, std::int64_t count, float* to) {
    GroupPlaces places;
    const Extents& extents = frame.grid.extents;
    bool is_finite = true;
    for (const auto& line : pull_back.rows) {
        for (const double number : line) {
            is_finite = is_finite && std::abs(number) < 1e6;
        }
    }
    if (!is_finite) {  // steps that went astray
        std::fill_n(to, count, std::numeric_limits<float>::quiet_NaN());
        return;
    }
    find_places(pull_back, extents, reference, begin, count, places);
    const std::int64_t row = extents[2] + 2;
    const std::int64_t plane = (extents[1] + 2) * row;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        if (places.beyond[i] > 0.0) {
            to[i] = std::numeric_limits<float>::quiet_NaN();
        } else {
            to[i] = frame.sampling == Sampling::cubic ? cubic_at(frame.data, row, plane, places, i)
                                                      : linear_at(frame.data, extents, places, i);
        }
    }
}

// Z^T r of a group, and the sums beside it: of lanes, then of the group. What is missing counts as no difference.
void sum_group(const ReferenceImage& reference, std::int64_t begin, std::int64_t count, const float* samples,
               GroupSums& sums) {
    constexpr std::size_t lanes = 8;
    using Lanes = std::array<double, lanes>;
    std::array<Lanes, column_count + 2> partial{};
    const auto read = [&](const float* from, std::int64_t i)
                          HWY_ATTR { return static_cast<double>(from[begin + i]); };
    const auto add = [&](std::int64_t i, std::size_t lane) HWY_ATTR {
        const float sample = samples[i];
        const bool is_there = sample == sample;
        const double rest = is_there ? static_cast<double>(sample) - read(reference.value, i) : 0.0;
        const double weight = read(reference.weight, i);
        const double g0 = read(reference.instrument[0], i) * rest;
        const double g1 = read(reference.instrument[1], i) * rest;
        const double g2 = read(reference.instrument[2], i) * rest;
        const double y0 = read(reference.place[0], i);
        const double y1 = read(reference.place[1], i);
        const double y2 = read(reference.place[2], i);
        const double weighted = weight * rest;
        partial[0][lane] += g0;
        partial[1][lane] += g1;
        partial[2][lane] += g2;
        partial[3][lane] += y1 * g2 - y2 * g1;
        partial[4][lane] += y2 * g0 - y0 * g2;
        partial[5][lane] += y0 * g1 - y1 * g0;
        partial[6][lane] += weighted;
        partial[7][lane] += weighted * read(reference.value, i);
        partial[8][lane] += weighted * rest;
        partial[9][lane] += is_there ? weight : 0.0;
    };
    std::int64_t i = 0;
    for (; i + static_cast<std::int64_t>(lanes) <= count; i += static_cast<std::int64_t>(lanes)) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            add(i + static_cast<std::int64_t>(lane), lane);
        }
    }
    for (std::size_t lane = 0; i < count; ++i, ++lane) {
        add(i, lane);
    }
    for (std::size_t column = 0; column < partial.size(); ++column) {
        double sum = 0.0;
        for (const double lane : partial[column]) {
            sum += lane;
        }
        sums[column] += sum;
    }
}

// Z^T B of all voxels: a row of eight doubles at once, voxel after voxel.
void sum_normal_of(const ReferenceImage& reference, NormalMatrix& normal) {
    using Row [[gnu::vector_size(64)]] = double;
    static_assert(sizeof(Row) == column_count * sizeof(double));
    Row rows[column_count];
    std::memcpy(rows, normal.data(), sizeof(rows));
    for (std::int64_t i = 0; i < reference.facts->voxels; ++i) {
        const Columns columns = columns_of(reference, i);
        const Columns instruments = instruments_of(reference, i);
        Row row;
        std::memcpy(&row, columns.data(), sizeof(row));
        for (std::size_t k = 0; k < column_count; ++k) {
            rows[k] += instruments[k] * row;
        }
    }
    std::memcpy(normal.data(), rows, sizeof(rows));
}

}  // namespace HWY_NAMESPACE
}  // namespace slab::kernels::realign
HWY_AFTER_NAMESPACE();

#endif
