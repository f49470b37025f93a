// What is asked for beside a job's specification. It changes no bits of the result.
#pragma once

#include <string>

#include "protocol/job_share.h"

namespace gradmill {

struct JobTerms {
  std::string model{};  ///< The result becomes a version of it; empty: it is not registered.
  JobShare share{};
};

}  // namespace gradmill
