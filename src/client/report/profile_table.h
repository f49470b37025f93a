// The profile of a job as users see it.
#pragma once

#include <iosfwd>

#include "client/report/profile.h"
#include "client/request/request.h"

namespace gradmill::client {

/// A row a node, rounds where there are few, and what it comes to; or one JSON object with a list
/// of all rounds.
void write_profile(std::ostream& to,
                   const JobDetails& job,
                   const JobProfile& profile,
                   Format format);

}  // namespace gradmill::client
