#pragma once

#include "client/library/job_request.hpp"
#include "common/protocol/message.hpp"

#include <vector>

namespace slab {

// JOB REQUEST of the protocol. Whole numbers beyond 2^53 and non-finite ones become text.
Json request_body(const JobRequest& request);

// The same with the descriptors that go beside it (the inputs' in their order, then the output's) and a
// submission drawn for it; arrays in memory are copied into memfds, which this owns.
struct RequestWithDescriptors {
    Json body;
    std::vector<int> descriptors;
    std::vector<UniqueDescriptor> copies;
};
// Where and how a result is written; its descriptor the first of the packet.
Json output_to_json(const OutputTarget& target);

// A new name for a job that is meant anew: 32 hexadecimal digits.
std::string random_submission();
Expected<RequestWithDescriptors> request_with_descriptors(const JobRequest& request);

}  // namespace slab
