#include "client/commands/model_commands.h"

#include <array>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/durable_file.h"
#include "base/error.h"
#include "client/report/json_output.h"
#include "client/report/model_tables.h"
#include "client/report/output_file.h"
#include "formats/model_file.h"
#include "program/exit_code.h"
#include "protocol/model_name.h"

namespace gradmill::client {
namespace {

constexpr std::size_t kModelBytesMax = std::size_t{1} << 30U;

// The two places where a file's format is chosen by its ending: inside, models are safetensors.

std::string to_format_of(const std::string& /*path*/, std::string safetensors) {
  return safetensors;
}

std::string to_safetensors(const std::string& path, std::string bytes) {
  static_cast<void>(formats::decode_model(bytes, path));
  return bytes;
}

std::string reference_to(const std::string& model, std::uint32_t version) {
  return model + "@" + std::to_string(version);
}

std::uint32_t version_of(const ModelDetails& model, const std::string& alias) {
  for (const ModelAlias& one : model.aliases) {
    if (one.alias == alias) {
      return one.version;
    }
  }
  throw Error(
      ErrorCode::kNotFound,
      "the model " + quoted_name(model.version.model) + " has no alias " + quoted_name(alias));
}

}  // namespace

int run(const ListModelsRequest& request, CoordinatorLink& link, Console console) {
  write_models(console.out, link.models(request.model), request.format);
  return program::kSucceeded;
}

int run(const ShowModelRequest& request, CoordinatorLink& link, Console console) {
  write_model_details(console.out, link.model(request.model), request.format);
  return program::kSucceeded;
}

int run(const ExportModelRequest& request, CoordinatorLink& link, Console console) {
  check_writable("--output", request.output);
  const ModelVersion version = link.model(request.model).version;
  const std::string bytes = to_format_of(request.output, *link.get_blob(version.file).bytes);
  const std::array<std::string_view, 1> parts = {bytes};
  write_file_durably(request.output, parts);
  if (request.format == Format::kJson) {
    write_json(console.out,
               {{"model", version.model},
                {"version", version.version},
                {"output", request.output},
                {"bytes", bytes.size()}});
  } else {
    console.out << reference_to(version.model, version.version) << ": written to " << request.output
                << '\n'
                << std::flush;
  }
  return program::kSucceeded;
}

int run(const ImportModelRequest& request, CoordinatorLink& link, Console console) {
  const Blob file =
      make_blob(to_safetensors(request.file, read_file(request.file, kModelBytesMax)));
  link.put_blob(file);
  const std::uint32_t version = link.import_model(request.model, file.ref);
  if (request.format == Format::kJson) {
    write_json(console.out, {{"model", request.model}, {"version", version}});
  } else {
    console.out << reference_to(request.model, version) << '\n' << std::flush;
  }
  return program::kSucceeded;
}

int run(const PromoteModelRequest& request, CoordinatorLink& link, Console console) {
  const ModelVersion version = link.model(request.model).version;
  const std::optional<AliasMove> move =
      link.promote_model(request.model, request.alias, request.force);
  write_move(console.out,
             version.model,
             move.value_or(AliasMove{.alias = request.alias,
                                     .from = version.version,
                                     .to = version.version,
                                     .change = AliasChange::kPromoted}),
             request.format);
  return program::kSucceeded;
}

int run(const RollBackModelRequest& request, CoordinatorLink& link, Console console) {
  const std::uint32_t from =
      version_of(link.model(request.model + "@" + request.alias), request.alias);
  write_move(console.out,
             request.model,
             link.roll_back_model(request.model, request.alias, from),
             request.format);
  return program::kSucceeded;
}

int run(const DeleteModelRequest& request, CoordinatorLink& link, Console console) {
  link.delete_model(request.model, request.version);
  if (request.format == Format::kJson) {
    nlohmann::ordered_json json = {{"model", request.model}};
    json["version"] =
        request.version > 0 ? nlohmann::ordered_json(request.version) : nlohmann::ordered_json();
    json["deleted"] = true;
    write_json(console.out, json);
  } else {
    console.out << (request.version > 0 ? reference_to(request.model, request.version)
                                        : request.model)
                << ": deleted\n"
                << std::flush;
  }
  return program::kSucceeded;
}

}  // namespace gradmill::client
