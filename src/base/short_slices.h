// Threads that answer beside threads that compute.
#pragma once

namespace gradmill {

/// Asks the scheduler to run the calling thread as soon as it wakes, in return for short slices of
/// time: it is to answer while other threads, ours among them, compute for as long as they may.
/// Without effect before Linux 6.12.
void prefer_short_slices() noexcept;

}  // namespace gradmill
