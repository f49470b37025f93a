// How long queries took, as tables and JSON.
#pragma once

#include <iosfwd>

#include "client/request/request.h"
#include "protocol/query_statistics.h"

namespace gradmill::client {

void write_statistics(std::ostream& to, const JobStatistics& job, Format format);
void write_statistics(std::ostream& to, const ModelStatistics& model, Format format);

}  // namespace gradmill::client
