#include "certificates/certificates.h"

#include <stdlib.h>

#include <stdexcept>

namespace gradmill::test {

void run_shell(const std::string& line) {
  if (::system(("{ " + line + "; } >/dev/null 2>&1").c_str()) != 0) {
    throw std::runtime_error("failed: " + line);
  }
}

Certificates::Certificates() {
  std::string name = (std::filesystem::temp_directory_path() / "gradmill-certs-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("mkdtemp");
  }
  folder_ = name;
  run_shell(GRADMILL_MAKE_CERTS " " + folder_.string());
}

Certificates::~Certificates() { std::filesystem::remove_all(folder_); }

TlsFiles Certificates::of(const std::string& name) const {
  return {path(name + ".crt"), path(name + ".key"), path("ca.crt")};
}

std::string Certificates::path(const std::string& file) const { return (folder_ / file).string(); }

void Certificates::add_user(const std::string& name) const {
  run_shell(GRADMILL_MAKE_CERTS " " + folder_.string() + " --name " + name);
}

void Certificates::add_server(const std::string& name, const std::string& host) const {
  run_shell(GRADMILL_MAKE_CERTS " " + folder_.string() + " --name " + name + " --host " + host);
}

void Certificates::sign_again(const std::string& name,
                              const std::string& extensions,
                              int days) const {
  run_shell("cd " + folder_.string() + " && printf '" + extensions +
            "\\n' >extensions && openssl req -new -key " + name + ".key -subj /CN=" + name +
            " | openssl x509 -req -CA ca.crt -CAkey ca.key -extfile extensions -days " +
            std::to_string(days) + " -out " + name + ".crt");
}

void Certificates::sign_for_later(const std::string& name) const {
  const std::string folder = folder_.string();
  run_shell("cd " + folder + " && : >index && openssl req -new -key " + name + ".key -subj /CN=" +
            name + " -out request && printf '[ca]\\ndefault_ca=ours\\n[ours]\\ndatabase=index\\n" +
            "new_certs_dir=.\\nrand_serial=yes\\ndefault_md=sha256\\npolicy=names\\n" +
            "[names]\\ncommonName=supplied\\n' >settings && openssl ca -batch -config settings" +
            " -cert ca.crt -keyfile ca.key -in request -notext -out " + name +
            ".crt -startdate 20900101000000Z -enddate 20910101000000Z");
}

void Certificates::sign_by_itself(const std::string& name) const {
  run_shell("cd " + folder_.string() + " && openssl req -x509 -new -key " + name +
            ".key -subj /CN=" + name + " -addext subjectAltName=IP:127.0.0.1 -out " + name +
            ".crt");
}

}  // namespace gradmill::test
