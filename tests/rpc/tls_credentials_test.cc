// Files that must not be taken, and what people are told.
#include "rpc/tls_credentials.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "certificates/certificates.h"

namespace gradmill::rpc::test {
namespace {

using gradmill::test::Certificates;
using gradmill::test::kLoopbackServer;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class TlsCredentials : public testing::Test {
 protected:
  /// The one line that the files are refused with.
  static std::string refusal(const TlsFiles& files, TlsRole role = TlsRole::kClient) {
    try {
      static_cast<void>(load_credentials(files, role));
      return "taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
      return error.what();
    }
  }

  Certificates certificates_;
  const TlsFiles files_ = certificates_.of("coordinator");
};

TEST_F(TlsCredentials, AreTakenAsTheScriptMakesThem) {
  for (const char* const name : {"coordinator", "node", "operator", "viewer"}) {
    EXPECT_EQ(refusal(certificates_.of(name)), "taken");
  }
  for (const char* const name : {"coordinator", "node"}) {
    EXPECT_EQ(refusal(certificates_.of(name), TlsRole::kServer), "taken");
  }
}

TEST_F(TlsCredentials, OfAServerAreNoUsers) {
  const std::string why = ": the certificate is not for servers";
  for (const char* const name : {"operator", "ca"}) {
    const TlsFiles files = certificates_.of(name);
    EXPECT_THAT(refusal(files, TlsRole::kServer), StartsWith(files.cert + why));
  }
  certificates_.sign_again("coordinator", "extendedKeyUsage=serverAuth", 1);
  EXPECT_THAT(refusal(files_, TlsRole::kServer), StartsWith(files_.cert + why))
      << "it calls nodes as well";
  EXPECT_THAT(refusal(files_), StartsWith(files_.cert + ": the certificate is not for clients"));
}

TEST_F(TlsCredentials, MustExist) {
  for (std::string TlsFiles::*const file : {&TlsFiles::cert, &TlsFiles::key, &TlsFiles::ca}) {
    TlsFiles files = files_;
    files.*file = certificates_.path("nowhere");
    EXPECT_THAT(refusal(files), HasSubstr(certificates_.path("nowhere")));
  }
}

TEST_F(TlsCredentials, MustBeRegularFiles) {
  gradmill::test::run_shell("mkfifo -m 600 " + certificates_.path("pipe"));
  for (std::string TlsFiles::*const file : {&TlsFiles::cert, &TlsFiles::key, &TlsFiles::ca}) {
    for (const std::string& path :
         {std::string("/dev/zero"), std::string("/"), certificates_.path("pipe")}) {
      TlsFiles files = files_;
      files.*file = path;
      EXPECT_EQ(refusal(files), path + ": is not a regular file");
    }
  }
}

TEST_F(TlsCredentials, MustBePem) {
  TlsFiles files = files_;
  files.cert = files_.key;
  EXPECT_EQ(refusal(files), files_.key + ": holds no certificate in PEM form, or a damaged one");
  files = files_;
  files.ca = files_.key;
  EXPECT_EQ(refusal(files), files_.key + ": holds no certificate in PEM form, or a damaged one");
  files = files_;
  gradmill::test::run_shell("chmod 600 " + files_.cert);
  files.key = files_.cert;
  EXPECT_EQ(refusal(files), files_.cert + ": holds no private key in PEM form");
}

TEST_F(TlsCredentials, RefuseADamagedCertificateBehindAGoodOne) {
  std::ofstream(files_.cert, std::ios::app) << "-----BEGIN CERTIFICATE-----\nno\n";
  EXPECT_THAT(refusal(files_), AllOf(StartsWith(files_.cert), HasSubstr("damaged")));
}

TEST_F(TlsCredentials, RefuseAKeyOfAnotherCertificate) {
  TlsFiles files = files_;
  files.key = certificates_.path("node.key");
  EXPECT_EQ(refusal(files), files.key + ": is not the key of " + files.cert);
}

TEST_F(TlsCredentials, RefuseAKeyThatOthersCanRead) {
  std::filesystem::permissions(files_.key, std::filesystem::perms(0644));
  EXPECT_EQ(refusal(files_),
            files_.key + ": others can read or change this key (mode 0644); run: chmod 600 " +
                files_.key);
}

TEST_F(TlsCredentials, RefuseAKeyOfAnotherUser) {
  if (::geteuid() != 0) {
    return;  // Nobody else can give a file away, or read it then.
  }
  ASSERT_EQ(::chown(files_.key.c_str(), 65534, 65534), 0);
  EXPECT_EQ(refusal(files_),
            files_.key + ": this key belongs to another user (65534); run: chown 0 " + files_.key);
}

TEST_F(TlsCredentials, LetAGroupReadAKeyOfRoot) {
  std::filesystem::permissions(files_.key, std::filesystem::perms(0640));
  EXPECT_THAT(refusal(files_), ::geteuid() == 0 ? HasSubstr("taken") : HasSubstr("(mode 0640)"));
}

TEST_F(TlsCredentials, RefuseAKeyWithAPassphraseWithoutAsking) {
  gradmill::test::run_shell("openssl pkey -in " + files_.key + " -aes256 -passout pass:x -out " +
                            certificates_.path("locked.key"));
  TlsFiles files = files_;
  files.key = certificates_.path("locked.key");
  EXPECT_EQ(refusal(files), files.key + ": the key has a passphrase; give one without");
}

TEST_F(TlsCredentials, RefuseWhatHasExpired) {
  certificates_.sign_again("coordinator", kLoopbackServer, -1);
  EXPECT_THAT(refusal(files_),
              AllOf(StartsWith(files_.cert + ": the certificate expired on "),
                    HasSubstr("; make a new one")));
}

TEST_F(TlsCredentials, RefuseWhatIsNotYetValid) {
  certificates_.sign_for_later("coordinator");
  EXPECT_THAT(refusal(files_),
              AllOf(StartsWith(files_.cert + ": the certificate is not valid before Jan  1 "),
                    HasSubstr("2090"),
                    HasSubstr("; check the clock")));
}

TEST_F(TlsCredentials, RefuseWhatTheCaDidNotSign) {
  const std::string why = files_.cert + ": the certificate was not signed by ";
  const Certificates others;
  TlsFiles files = files_;
  files.ca = others.path("ca.crt");
  EXPECT_EQ(refusal(files), why + files.ca);
  certificates_.sign_by_itself("coordinator");
  EXPECT_EQ(refusal(files_), why + files_.ca);
}

}  // namespace
}  // namespace gradmill::rpc::test
