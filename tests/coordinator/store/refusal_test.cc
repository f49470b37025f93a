// Folders that cannot be used are refused with one line, and are left as they were.
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include <sys/stat.h>
#include <sys/wait.h>

#include "coordinator/store/files/sealed_file.h"
#include "coordinator/store/rows/database.h"
#include "coordinator/store/state_folder_store.h"
#include "coordinator/store/support.h"

namespace gradmill::coordinator {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class StoreRefusal : public StateFolder {
 protected:
  /// The line with which opening and loading is refused.
  static std::string refusal(const std::string& path) {
    const auto error = error_of([&] { static_cast<void>(open_state_folder(path)->load()); });
    EXPECT_TRUE(error) << path;
    if (!error) {
      return "";
    }
    EXPECT_EQ(error->code(), ErrorCode::kInvalidInput);
    EXPECT_THAT(error->what(), AllOf(HasSubstr(path), Not(HasSubstr("\n"))));
    return error->what();
  }

  /// The same in a process of another user, where this is root's.
  std::string refusal_of_user(const std::string& path) const {
    if (::geteuid() != 0) {
      return refusal(path);
    }
    const std::string answer = beside("answer");
    const pid_t child = ::fork();
    if (child == 0) {
      std::ofstream file(answer);
      if (::setgid(65534) == 0 && ::setuid(65534) == 0) {
        file << refusal(path);
      }
      file.close();
      std::_Exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return content(answer);
  }
};

TEST_F(StoreRefusal, SecondOpenerIsToldOfTheFirst) {
  const auto store = open_state_folder(path(), "127.0.0.1:7070");
  EXPECT_EQ(refusal(path()),
            "the state folder " + path() + " is in use by process " + std::to_string(::getpid()) +
                " (127.0.0.1:7070); end that one, or give --state-dir another folder");
  EXPECT_EQ(store->load().epoch, 1U);
}

TEST_F(StoreRefusal, IsFreeAgainOnceTheFirstIsGone) {
  static_cast<void>(open_state_folder(path())->load());
  EXPECT_EQ(open_state_folder(path())->load().epoch, 2U);
}

TEST_F(StoreRefusal, NewerFormatIsLeftAlone) {
  commit({added("a")});
  const std::string identity = R"({"format":2})";
  std::string bytes;
  const std::vector<std::string_view> sections = {identity};
  for (const std::string_view part : seal(FileKind::kIdentity, 9, sections).parts) {
    bytes += part;
  }
  put(at("identity"), bytes);
  const std::string database = content(at("gradmill.db"));
  EXPECT_EQ(refusal(path()),
            "the state folder " + path() +
                " is of format 2 and this gradmill knows 1; run the newer gradmill, or give "
                "--state-dir another one");
  EXPECT_EQ(content(at("gradmill.db")), database);
  EXPECT_EQ(content(at("identity")), bytes);
}

TEST_F(StoreRefusal, DatabaseOfANewerFormatIsLeftAloneBesideADamagedIdentity) {
  commit({added("a")});
  {
    Database database(at("gradmill.db"));
    database.transact([&] {
      database.put_meta("format", "2");
      database.remove_job(1);  // As a table that this version cannot read would be.
    });
  }
  const std::string database = content(at("gradmill.db"));
  put(at("identity"), "damaged");
  EXPECT_THAT(refusal(path()), HasSubstr("is of format 2 and this gradmill knows 1"));
  EXPECT_EQ(content(at("gradmill.db")), database);
  EXPECT_FALSE(std::filesystem::exists(at("gradmill.db.damaged-1")));
}

TEST_F(StoreRefusal, FileIsNoFolder) {
  put(path(), "kept");
  EXPECT_THAT(refusal(path()), HasSubstr("is not a folder; give --state-dir another one"));
  EXPECT_EQ(content(path()), "kept");
}

TEST_F(StoreRefusal, FolderWithoutAParentCannotBeMade) {
  EXPECT_THAT(refusal(beside("missing/state")),
              HasSubstr("cannot be made: No such file or directory"));
}

TEST_F(StoreRefusal, FolderThatIsNotWritable) {
  commit({added("a")});
  if (::geteuid() == 0) {
    // The user must get that far.
    ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      ASSERT_EQ(::chown(entry.path().c_str(), 65534, 65534), 0);
    }
    ASSERT_EQ(::chown(folder_.c_str(), 65534, 65534), 0);
  }
  ASSERT_EQ(::chmod(path().c_str(), 0500), 0);
  EXPECT_THAT(refusal_of_user(path()), HasSubstr("cannot be written to: Permission denied"));
  ASSERT_EQ(::chmod(path().c_str(), 0700), 0);
}

TEST_F(StoreRefusal, FolderOfAnotherUser) {
  if (::geteuid() != 0) {
    EXPECT_THAT(refusal("/"), HasSubstr("belongs to user 0"));
    return;
  }
  commit({added("a")});
  ASSERT_EQ(::chown(path().c_str(), 65534, 65534), 0);
  EXPECT_THAT(refusal(path()), HasSubstr("belongs to user 65534; run as that user"));
  ASSERT_EQ(::chown(path().c_str(), 0, 0), 0);
}

}  // namespace
}  // namespace gradmill::coordinator
