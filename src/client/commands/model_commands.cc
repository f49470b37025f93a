#include "client/commands/model_commands.h"

#include <array>
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/durable_file.h"
#include "base/error.h"
#include "client/report/json_output.h"
#include "client/report/model_output.h"
#include "client/report/model_tables.h"
#include "formats/model_file.h"
#include "formats/model_format.h"
#include "ml/activation_name.h"
#include "program/exit_code.h"
#include "protocol/model_name.h"

namespace gradmill::client {
namespace {

constexpr std::size_t kModelBytesMax = std::size_t{1} << 30U;

/// Writes what the coordinator keeps, which is safetensors, in the format of the path's ending.
void write_in_format(const std::string& path, const Blob& file) {
  if (formats::model_format_of(path) == formats::ModelFormat::kSafetensors) {
    const std::array<std::string_view, 1> parts = {*file.bytes};
    write_file_durably(path, parts);
  } else {
    formats::write_model_file(path, formats::decode_model(*file.bytes, path));
  }
}

/// The model in the file as safetensors. One that does not say its activation has `activation`.
Blob read_as_safetensors(const std::string& path, std::optional<ml::Activation> activation) {
  formats::ModelFile model = formats::read_model_file(path);
  const std::optional<ml::Activation> named = formats::activation_of(model, path);
  if (named && activation && *named != *activation) {
    throw invalid_input("--activation: " + path + " has the activation " +
                        std::string(name_of(*named)));
  }
  if (!named && !activation) {
    throw invalid_input(path + ": does not say its activation; use --activation NAME");
  }
  if (formats::model_format_of(path) == formats::ModelFormat::kSafetensors && named) {
    return make_blob(read_file(path, kModelBytesMax));
  }
  model.metadata["activation"] = std::string(name_of(named ? *named : *activation));
  return make_blob(formats::encode_model_header(model) + model.parameters);
}

/// What is wrong with the file is said of it by the name that the user knows.
std::uint32_t import_file(const ImportModelRequest& request,
                          const Blob& file,
                          CoordinatorLink& link) {
  check_model_name(request.model);
  try {
    return link.import_model(request.model, file.ref);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidInput) {
      throw;
    }
    throw invalid_input(request.file + ": " + error.what());
  }
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
  check_model_output(request.output);
  const ModelVersion version = link.model(request.model).version;
  write_in_format(request.output, link.get_blob(version.file));
  if (request.format == Format::kJson) {
    write_json(console.out,
               {{"model", version.model},
                {"version", version.version},
                {"output", request.output},
                {"bytes", std::filesystem::file_size(request.output)}});
  } else {
    console.out << version_reference(version.model, version.version) << ": written to "
                << request.output << '\n'
                << std::flush;
  }
  return program::kSucceeded;
}

int run(const ImportModelRequest& request, CoordinatorLink& link, Console console) {
  const Blob file = read_as_safetensors(request.file, request.activation);
  link.put_blob(file);
  const std::uint32_t version = import_file(request, file, link);
  if (request.format == Format::kJson) {
    write_json(console.out, {{"model", request.model}, {"version", version}});
  } else {
    console.out << version_reference(request.model, version) << '\n' << std::flush;
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
    console.out << (request.version > 0 ? version_reference(request.model, request.version)
                                        : request.model)
                << ": deleted\n"
                << std::flush;
  }
  return program::kSucceeded;
}

}  // namespace gradmill::client
