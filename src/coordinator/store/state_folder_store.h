// The state folder: SQLite rows, and beside them files that alone can bring the rows back.
#pragma once

#include <memory>
#include <string>

#include "coordinator/ports/job_store.h"
#include "coordinator/store/files/file_system.h"

namespace gradmill::coordinator {

/// Opens the state folder at `path` for this process alone, and makes it if there is none. `holder`
/// is what a second process is told of this one besides the process id, such as its address.
/// Throws Error(kInvalidInput) with one line for people if the folder is in use, no folder, another
/// user's or not writable; so does load() if it is of a newer format, its disk is full, or it
/// cannot be read. `files` outlives the store. Writing calls of the store wait for each other.
[[nodiscard]] std::unique_ptr<JobStore> open_state_folder(const std::string& path,
                                                          const std::string& holder = "",
                                                          FileSystem& files = real_file_system());

}  // namespace gradmill::coordinator
