#include "formats/zip_archive.h"

#include <zip.h>

#include <new>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "formats/text.h"

namespace gradmill::formats {
namespace {

// The first day that the format knows, as NumPy writes it; a clock would change the bytes.
constexpr std::uint16_t kDosTime = 0;
constexpr std::uint16_t kDosDate = 33;

/// Writing to memory fails only for want of it.
void require(bool done) {
  if (!done) {
    throw std::bad_alloc();
  }
}

struct CloseFile {
  void operator()(zip_file_t* file) const noexcept { zip_fclose(file); }
};

struct FreeSource {
  void operator()(zip_source_t* source) const noexcept { zip_source_free(source); }
};
using Source = std::unique_ptr<zip_source_t, FreeSource>;

void add(zip_t* archive, const ZipContent& content) {
  std::vector<zip_buffer_fragment_t> parts;
  for (const std::string_view bytes : {std::string_view(content.head), content.body}) {
    if (!bytes.empty()) {  // libzip 1.7 miscounts the parts when one is empty.
      // libzip only reads what it is told not to free.
      auto* const data = reinterpret_cast<zip_uint8_t*>(const_cast<char*>(bytes.data()));
      parts.push_back({data, bytes.size()});
    }
  }
  Source source(zip_source_buffer_fragment(archive, parts.data(), parts.size(), 0));
  require(source != nullptr);
  const zip_int64_t index =
      zip_file_add(archive, content.name.c_str(), source.get(), ZIP_FL_ENC_UTF_8);
  require(index >= 0);
  static_cast<void>(source.release());  // The archive's now.
  const auto at = static_cast<zip_uint64_t>(index);
  require(zip_set_file_compression(archive, at, ZIP_CM_STORE, 0) == 0);
  require(zip_file_set_dostime(archive, at, kDosTime, kDosDate, 0) == 0);
}

std::string content_of(zip_source_t* source) {
  zip_stat_t stat{};
  require(zip_source_stat(source, &stat) == 0 && (stat.valid & ZIP_STAT_SIZE) != 0);
  std::string bytes(stat.size, '\0');
  require(zip_source_open(source) == 0);
  const zip_int64_t count = zip_source_read(source, bytes.data(), bytes.size());
  zip_source_close(source);
  require(std::cmp_equal(count, bytes.size()));
  return bytes;
}

/// The archive in `bytes`, or null and why.
zip_t* open(std::string_view bytes, int flags, int& code) {
  Source source(zip_source_buffer_create(bytes.data(), bytes.size(), 0, nullptr));
  require(source != nullptr);
  zip_error_t error;
  zip_error_init(&error);
  zip_t* const archive = zip_open_from_source(source.get(), ZIP_RDONLY | flags, &error);
  code = zip_error_code_zip(&error);
  zip_error_fini(&error);
  if (archive != nullptr) {
    static_cast<void>(source.release());  // The archive's now.
  }
  return archive;
}

}  // namespace

std::string write_zip(const std::vector<ZipContent>& contents) {
  GRADMILL_CHECK(!contents.empty());  // libzip writes no archive without entries.
  const Source target(zip_source_buffer_create(nullptr, 0, 0, nullptr));
  require(target != nullptr);
  zip_source_keep(target.get());  // The archive frees it once.
  zip_t* const archive = zip_open_from_source(target.get(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  if (archive == nullptr) {
    zip_source_free(target.get());
  }
  require(archive != nullptr);
  try {
    for (const ZipContent& content : contents) {
      add(archive, content);
    }
    require(zip_close(archive) == 0);
  } catch (...) {
    zip_discard(archive);
    throw;
  }
  return content_of(target.get());
}

void ZipReader::Discard::operator()(struct zip* archive) const noexcept { zip_discard(archive); }

ZipReader::ZipReader(std::string_view archive, std::size_t entries_max, std::string what)
    : what_(std::move(what)) {
  int code = ZIP_ER_OK;
  if (!archive.empty()) {  // Which libzip takes for an archive without entries.
    archive_.reset(open(archive, ZIP_CHECKCONS, code));
  }
  if (code == ZIP_ER_EXISTS) {  // The loop below says which.
    archive_.reset(open(archive, 0, code));
  }
  if (archive_ == nullptr) {
    require(code != ZIP_ER_MEMORY);
    throw invalid_input(what_ + " it is no whole zip archive");
  }
  const auto count = static_cast<std::uint64_t>(zip_get_num_entries(archive_.get(), 0));
  if (count > entries_max) {
    throw invalid_input(what_ + " it has " + std::to_string(count) + " arrays; at most " +
                        std::to_string(entries_max) + " are allowed");
  }
  std::set<std::string> names;
  std::uint64_t left = archive.size();
  for (std::uint64_t i = 0; i < count; ++i) {
    zip_stat_t stat{};
    constexpr zip_uint64_t kNeeded =
        ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    const char* const name = zip_get_name(archive_.get(), i, ZIP_FL_ENC_RAW);
    if (name == nullptr || zip_stat_index(archive_.get(), i, 0, &stat) != 0 ||
        (stat.valid & kNeeded) != kNeeded) {
      throw invalid_input(what_ + " its zip archive is damaged");
    }
    const std::string quoted = in_quotes(name);
    if (!names.insert(name).second) {
      throw invalid_input(what_ + " it has " + quoted + " twice");
    }
    if (stat.comp_method != ZIP_CM_STORE) {
      throw invalid_input(what_ + ' ' + quoted +
                          " is compressed; numpy.savez writes what can be read");
    }
    if (stat.encryption_method != ZIP_EM_NONE) {
      throw invalid_input(what_ + ' ' + quoted + " is encrypted");
    }
    // Entries that share bytes of the archive would make more of it than it is.
    if (stat.size != stat.comp_size || stat.size > left) {
      throw invalid_input(what_ + ' ' + quoted + " would have " + std::to_string(stat.size) +
                          " bytes, more than the file");
    }
    left -= stat.size;
    entries_.push_back({name, stat.size});
  }
}

std::string ZipReader::read(std::size_t index) const {
  const Entry& entry = entries_.at(index);
  const std::unique_ptr<zip_file_t, CloseFile> file(zip_fopen_index(archive_.get(), index, 0));
  std::string bytes(entry.bytes, '\0');
  char more = 0;
  // The second read meets the end, where libzip compares the checksum.
  if (file == nullptr ||
      !std::cmp_equal(zip_fread(file.get(), bytes.data(), bytes.size()), bytes.size()) ||
      zip_fread(file.get(), &more, 1) != 0) {
    throw invalid_input(what_ + ' ' + in_quotes(entry.name) + " is damaged");
  }
  return bytes;
}

}  // namespace gradmill::formats
