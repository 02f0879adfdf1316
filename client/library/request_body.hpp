#pragma once

#include "client/library/job_request.hpp"
#include "common/protocol/message.hpp"

#include <vector>

namespace slab {

// JOB REQUEST of the protocol. Whole numbers beyond 2^53 and non-finite ones become text.
Json request_body(const JobRequest& request);

// The same with the descriptors that go beside it; arrays in memory are copied into memfds, which this owns.
struct RequestWithDescriptors {
    Json body;
    std::vector<int> descriptors;
    std::vector<UniqueDescriptor> copies;
};
Expected<RequestWithDescriptors> request_with_descriptors(const JobRequest& request);

}  // namespace slab
