#include "client/library/guest.hpp"

#include "client/library/answer_parts.hpp"
#include "client/library/connection.hpp"
#include "client/library/guest_memory.hpp"
#include "client/library/link.hpp"
#include "client/library/request_body.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slab {

// What a lease says of its band: how it is cut, and where it lies. A part of Guest::State, so not of this file alone.
struct LeasedBand {
    Box part;
    std::array<std::int64_t, max_rank> tile{};
    std::int64_t place = 0;
};

namespace {

constexpr std::int64_t most_hired_at_once = 16;

bool read_axes(const Json& lease, const char* key, int rank, std::array<std::int64_t, max_rank>& numbers) {
    const auto list = lease.find(key);
    if (list == lease.end() || !list->is_array() || list->size() != static_cast<std::size_t>(rank)) {
        return false;
    }
    for (std::size_t axis = 0; axis < list->size(); ++axis) {
        if (!(*list)[axis].is_number_integer()) {
            return false;
        }
        numbers[axis] = (*list)[axis].get<std::int64_t>();
    }
    return true;
}

// The band's box and tile, when they lie in the output and the memory; a guest writes nowhere else, whoever says so.
std::optional<LeasedBand> read_band(const Json& lease, const ArrayDescription& output,
                                    std::int64_t memory_bytes) {
    LeasedBand band{{output.shape.rank, {}, {}}, {}, integer_or(lease, "place", -1)};
    if (!read_axes(lease, "begin", output.shape.rank, band.part.begin) ||
        !read_axes(lease, "end", output.shape.rank, band.part.end) ||
        !read_axes(lease, "tile", output.shape.rank, band.tile)) {
        return std::nullopt;
    }
    for (int axis = 0; axis < output.shape.rank; ++axis) {
        const auto at = static_cast<std::size_t>(axis);
        if (band.part.begin[at] < 0 || band.part.end[at] > output.shape[axis] || band.part.extent(axis) < 1 ||
            band.tile[at] < 1) {
            return std::nullopt;
        }
        band.tile[at] = std::min(band.tile[at], band.part.extent(axis));
    }
    const std::int64_t bytes = element_count(band.part) * static_cast<std::int64_t>(size_of(output.dtype));
    return band.place < 0 || bytes > memory_bytes || band.place > memory_bytes - bytes ? std::nullopt
                                                                                       : std::optional(band);
}

// Along one axis, and in all.
std::int64_t tiles_along(const LeasedBand& band, int axis) {
    return (band.part.extent(axis) - 1) / band.tile[static_cast<std::size_t>(axis)] + 1;
}
std::int64_t tile_count(const LeasedBand& band) {
    std::int64_t count = 1;
    for (int axis = 0; axis < band.part.rank; ++axis) {
        count *= tiles_along(band, axis);
    }
    return count;
}

GuestTile tile_of(const LeasedBand& band, std::int64_t number, const ArrayDescription& output,
                  std::byte* memory) {
    GuestTile tile{{band.part.rank, {}, {}}, memory + band.place, {}};
    auto stride = static_cast<std::int64_t>(size_of(output.dtype));
    for (auto axis = static_cast<std::size_t>(band.part.rank); axis-- > 0;) {
        const std::int64_t extent = band.part.extent(static_cast<int>(axis));
        const std::int64_t count = tiles_along(band, static_cast<int>(axis));
        const std::int64_t first = number % count * band.tile[axis];
        number /= count;
        tile.box.begin[axis] = band.part.begin[axis] + first;
        tile.box.end[axis] = std::min(tile.box.begin[axis] + band.tile[axis], band.part.end[axis]);
        tile.strides[axis] = stride;
        tile.data += first * stride;
        stride *= extent;
    }
    return tile;
}

}  // namespace

struct Guest::State {
    UniqueDescriptor socket;
    std::shared_ptr<GuestMemory> memory;
    ArrayDescription output;
    int cpu = 0;
    bool is_ready = false;
    std::int64_t lease = 0;  // 0: none
    std::int64_t next = 0, end = 0;
    LeasedBand band{};

    bool say(const Json& message) {
        return send_packet(socket.get(), encode_message(message)) == Transfer::moved;
    }
};

Guest::Guest(std::unique_ptr<State> state) : state_(std::move(state)) {}
Guest::Guest(Guest&&) noexcept = default;
Guest& Guest::operator=(Guest&&) noexcept = default;
Guest::~Guest() = default;

int Guest::cpu() const {
    return state_->cpu;
}

Expected<std::optional<GuestTile>> Guest::next_tile() {
    State& state = *state_;
    if (state.lease != 0 && state.next < state.end) {
        return tile_of(state.band, state.next++, state.output, state.memory->data());
    }
    if (!state.socket) {
        return std::nullopt;
    }
    const Json word = state.is_ready ? Json{{"done", state.lease}} : Json{{"ready", true}};
    state.is_ready = true;
    Packet packet;
    if (!state.say(word) || receive_packet(state.socket.get(), packet) != Transfer::moved) {
        state.socket.reset();
        return std::nullopt;
    }
    const auto message = decode_message(std::move(packet));
    const auto band = message ? read_band(message->body, state.output, state.memory->bytes()) : std::nullopt;
    const std::int64_t lease = band ? integer_or(message->body, "lease", 0) : 0;
    const std::int64_t first = band ? integer_or(message->body, "first", -1) : -1;
    const std::int64_t count = band ? integer_or(message->body, "count", 0) : 0;
    if (lease <= 0 || first < 0 || count < 1 || count > tile_count(*band) - first) {
        state.socket.reset();
        state.lease = 0;
        return std::unexpected(unreadable("guests"));
    }
    state.lease = lease;
    state.next = first;
    state.end = first + count;
    state.band = *band;
    return tile_of(state.band, state.next++, state.output, state.memory->data());
}

void Guest::fail(std::string_view what, std::string_view because) {
    state_->say({{"failed", state_->lease}, {"what", what}, {"because", because}});
    Packet packet;
    while (receive_packet(state_->socket.get(), packet) == Transfer::moved) {  // until the job has ended
    }
    state_->socket.reset();
    state_->lease = 0;
}

Expected<GuestJob> Connection::start_guests(const GuestRequest& request, int count) {
    Json guests = array_to_json(request.output);
    guests["name"] = request.name.empty() ? "guests" : request.name;
    if (!request.tile.empty()) {
        guests["tile"] = request.tile;
    }
    Json body{{"guests", std::move(guests)},
              {"inputs", Json::array()},
              {"linked", true},
              {"watch", true},
              {"priority", request.priority}};
    for (const auto& [key, text] :
         {std::pair{"max_memory", &request.max_memory}, {"tile_bytes", &request.tile_bytes}}) {
        if (!text->empty()) {
            body[key] = *text;
        }
    }
    std::vector<int> files;
    if (request.file) {
        body["output"] = output_to_json(*request.file);
        files.push_back(request.file->descriptor);
    }
    const auto submitted = link_->ask("submit", std::move(body), files);
    if (!submitted) {
        return std::unexpected(submitted.error());
    }
    const Expected<JobStatus> status = job_in(*submitted, "submit");
    if (!status) {
        return std::unexpected(status.error());
    }
    link_->follow(*status);
    GuestJob job{.id = status->id, .guests = {}, .output = {}, .memory = {}};
    std::shared_ptr<GuestMemory> memory;
    do {
        const std::int64_t missing =
            std::max<std::int64_t>(0, count - static_cast<std::int64_t>(job.guests.size()));
        auto hired =
            link_->ask("guests", {{"job", job.id}, {"count", std::min(missing, most_hired_at_once)}});
        if (!hired) {
            [[maybe_unused]] const auto ignored = cancel(job.id);
            return std::unexpected(hired.error());
        }
        const Json cpus = hired->body.value("cpus", Json::array());
        if (!cpus.is_array() || cpus.empty() || hired->descriptors.size() != cpus.size() + 1) {
            return std::unexpected(unreadable("guests"));
        }
        if (!memory) {
            auto mapped = GuestMemory::map(std::move(hired->descriptors.front()),
                                           integer_or(hired->body, "segment_bytes", 0));
            if (!mapped) {
                [[maybe_unused]] const auto ignored = cancel(job.id);
                return std::unexpected(mapped.error());
            }
            if (!request.file && mapped->bytes() < byte_count(request.output)) {
                [[maybe_unused]] const auto ignored = cancel(job.id);
                return std::unexpected(unreadable("guests"));
            }
            memory = std::make_shared<GuestMemory>(std::move(*mapped));
        }
        for (std::size_t guest = 0; guest < cpus.size(); ++guest) {
            auto state = std::make_unique<Guest::State>();
            state->socket = std::move(hired->descriptors[guest + 1]);
            state->memory = memory;
            state->output = request.output;
            state->cpu = cpus[guest].is_number_integer() ? cpus[guest].get<int>() : 0;
            job.guests.push_back(Guest(std::move(state)));
        }
    } while (job.guests.size() < static_cast<std::size_t>(std::max(count, 0)));
    if (!request.file) {
        job.output = {memory->data(), static_cast<std::size_t>(byte_count(request.output))};
    }
    job.memory = memory;
    return job;
}

}  // namespace slab
