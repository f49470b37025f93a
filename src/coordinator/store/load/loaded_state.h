// What is found in a state folder at the start.
#pragma once

#include <memory>

#include "coordinator/ports/job_store.h"
#include "coordinator/store/rows/database.h"
#include "coordinator/store/store_entry.h"

namespace gradmill::coordinator {

/// All that loading gives and keeps.
struct LoadedState {
  StoredState state;
  StoreIndex index;
  std::unique_ptr<Database> database;
};

}  // namespace gradmill::coordinator
