// Events of jobs for the log.
#pragma once

#include <string>

#include "coordinator/core/action.h"
#include "coordinator/core/job/job.h"

namespace gradmill::coordinator {

/// Something that happened to a job as a whole.
[[nodiscard]] inline Note job_note(const Job& job,
                                   const std::string& event,
                                   const std::string& message) {
  Note note;
  note.job = job.id;
  note.event.event = event;
  note.event.message = message;
  return note;
}

}  // namespace gradmill::coordinator
