// Visiting variants.
#pragma once

namespace gradmill {

/// One callable out of several, for std::visit.
template <class... F>
struct Overload : F... {
  using F::operator()...;
};
template <class... F>
Overload(F...) -> Overload<F...>;

}  // namespace gradmill
