// Where predictions find their models.
#pragma once

#include <memory>
#include <string>

#include "base/blob.h"
#include "protocol/prediction.h"

namespace gradmill::coordinator {

/// Models by name. Thread-safe, and asked for each prediction.
class ModelSource {
 public:
  virtual ~ModelSource() = default;
  /// The version that NAME, NAME@VERSION or NAME@ALIAS stands for now. Throws Error(kNotFound), or
  /// Error(kInvalidInput) for what is no such reference.
  [[nodiscard]] virtual std::shared_ptr<const ServedModel> resolve(
      const std::string& reference) = 0;
  /// Its file. Throws Error(kNotFound) if it was deleted meanwhile.
  [[nodiscard]] virtual Blob file(const BlobRef& ref) = 0;
};

}  // namespace gradmill::coordinator
