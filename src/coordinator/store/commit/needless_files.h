// Files of a state folder that a commit leaves without use.
#pragma once

#include <span>

#include "coordinator/core/record.h"
#include "coordinator/store/commit/commit_plan.h"
#include "coordinator/store/files/file_system.h"
#include "coordinator/store/job_files.h"
#include "coordinator/store/store_entry.h"

namespace gradmill::coordinator {

/// Removes what `plan`, which is committed, has made needless: generations of weights but the last
/// two, folders of jobs and files of models. A file that cannot be removed is garbage for later.
void drop_needless(const StatePaths& paths,
                   FileSystem& files,
                   const CommitPlan& plan,
                   StoreIndex& index);

/// Makes room for the rounds in `records`: removes the weights of their jobs but the last ones.
/// False if there are none. Throws std::system_error.
[[nodiscard]] bool drop_spare_generations(const StatePaths& paths,
                                          FileSystem& files,
                                          std::span<const Record> records,
                                          StoreIndex& index);

}  // namespace gradmill::coordinator
