// The server's step: a round's deltas become the next round's weights.
#pragma once

#include <optional>

#include "coordinator/core/scheduler/scheduler.h"

namespace gradmill::coordinator {

/// The next round's weights and the optimiser's state with them; nothing if they are not finite.
[[nodiscard]] std::optional<RoundStep> make_step(const AdvanceRound& round);

}  // namespace gradmill::coordinator
