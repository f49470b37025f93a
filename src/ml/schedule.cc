#include "ml/schedule.h"

namespace gradmill::ml {
namespace {

/// (1 + cos(pi x)) / 2 for x in [0, 1]: from 1 down to 0. By Taylor's series around 1/2 and plain
/// arithmetic, since the C library's cosine may differ between machines.
double half_cosine(double x) {
  constexpr double kPi = 3.14159265358979323846;
  const double y = kPi * (0.5 - x);
  const double square = y * y;
  double sine = 0;
  for (int k = 21; k >= 3; k -= 2) {
    sine = (1 + sine) * (-square / static_cast<double>(k * (k - 1)));
  }
  return 0.5 + 0.5 * y * (1 + sine);
}

// As in Smith and Topin 2018, with the numbers that PyTorch's users know.
constexpr double kRise = 0.3;
constexpr double kStart = 1.0 / 25;
constexpr double kEnd = kStart * 1e-4;

double one_cycle(double position) {
  if (position < kRise) {
    return 1 + (kStart - 1) * half_cosine(position / kRise);
  }
  return kEnd + (1 - kEnd) * half_cosine((position - kRise) / (1 - kRise));
}

}  // namespace

double schedule_factor(Schedule schedule, double position) {
  switch (schedule) {
    case Schedule::kConstant:
      return 1;
    case Schedule::kCosine:
      return half_cosine(position);
    case Schedule::kOneCycle:
      return one_cycle(position);
  }
  return 1;
}

double schedule_position(const TaskPosition& task, std::uint64_t step, std::uint64_t steps) {
  const double in_round = static_cast<double>(step) / static_cast<double>(steps);
  return (static_cast<double>(task.round - 1) + in_round) / static_cast<double>(task.rounds);
}

}  // namespace gradmill::ml
