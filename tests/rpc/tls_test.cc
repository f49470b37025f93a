// Connections under mutual TLS, and peers that must never reach a handler.
#include "rpc/tls.h"

#include <poll.h>

#include <fstream>
#include <future>
#include <memory>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include "base/error.h"
#include "certificates/certificates.h"
#include "rpc/connect.h"
#include "rpc/openssl.h"
#include "support.h"

namespace gradmill::rpc::test {
namespace {

using gradmill::test::Certificates;
using gradmill::test::kLoopbackServer;
using testing::AllOf;
using testing::HasSubstr;
using testing::Le;
using testing::StartsWith;

struct Failure {
  ErrorCode code = ErrorCode::kFailed;
  std::string message = "no failure";
};

Failure failure_of(NodeConnection& connection, milliseconds deadline = kAmple) {
  try {
    hello(connection, "echo", deadline);
    return {};
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
}

class Tls : public testing::Test {
 protected:
  [[nodiscard]] std::shared_ptr<TlsContext> context(const std::string& name,
                                                    TlsRole role = TlsRole::kClient) const {
    return std::make_shared<TlsContext>(certificates_.of(name), role);
  }

  Server& serve(const std::string& name, TlsRole role = TlsRole::kServer) {
    server_tls_ = context(name, role);
    ServerOptions secure = options();
    secure.tls = server_tls_;
    secure.idle_timeout = idle_timeout_;
    secure.frame_deadline = frame_deadline_;
    server_ = std::make_unique<Server>(secure, make_handlers(world_));
    server_->start();
    return *server_;
  }

  [[nodiscard]] NodeConnection connection_as(const std::string& name) const {
    return NodeConnection(address_of(*server_), {.tls = {.context = context(name)}});
  }

  Certificates certificates_;
  World world_;
  milliseconds idle_timeout_ = kAmple;
  milliseconds frame_deadline_ = kAmple;
  std::shared_ptr<TlsContext> server_tls_;
  std::unique_ptr<Server> server_;
};

TEST_F(Tls, CarriesCalls) {
  serve("coordinator");
  NodeConnection connection = connection_as("operator");
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(hello(connection, "echo"), "echo");
  }
  EXPECT_EQ(world_.connections, 1) << "between calls came something, as a session ticket would";
}

TEST_F(Tls, CountsWhatTheMessagesHave) {
  serve("coordinator");
  NodeConnection secure = connection_as("operator");
  hello(secure, "echo");
  World world;
  Server plain_server(options(), make_handlers(world));
  plain_server.start();
  NodeConnection plain(address_of(plain_server));
  hello(plain, "echo");
  EXPECT_EQ(secure.traffic().sent, plain.traffic().sent);
  EXPECT_EQ(secure.traffic().received, plain.traffic().received);
}

TEST_F(Tls, CarriesLargeFramesInBothDirections) {
  serve("coordinator");
  NodeConnection connection = connection_as("operator");
  for (int i = 0; i < 3; ++i) {
    const std::string text(std::size_t{7} << 20U, static_cast<char>('a' + i));
    EXPECT_EQ(hello(connection, text), text);
  }
  EXPECT_EQ(world_.connections, 1);
}

TEST_F(Tls, SurvivesTheIdleTimeoutOfTheServer) {
  idle_timeout_ = milliseconds(50);
  Server& server = serve("coordinator");
  NodeConnection connection = connection_as("operator");
  hello(connection, "echo");
  ASSERT_TRUE(eventually([&] { return server.clients() == 0; }));
  EXPECT_EQ(hello(connection, "echo"), "echo");
  EXPECT_EQ(world_.connections, 2);
}

TEST_F(Tls, CanBeInterruptedInACall) {
  serve("coordinator");
  NodeConnection connection = connection_as("operator");
  const auto call = std::async(std::launch::async, [&] {
    try {
      hello(connection, "wait");
      return ErrorCode::kFailed;
    } catch (const Error& error) {
      return error.code();
    }
  });
  world_.gate.await_arrivals(1);
  connection.interrupt();
  EXPECT_EQ(call.wait_for(kAmple), std::future_status::ready);
  world_.gate.open();
}

TEST_F(Tls, CanBeInterruptedInTheHandshake) {
  RawListener silent;
  NodeConnection connection(silent.address(),
                            {.connect_timeout = kAmple, .tls = {.context = context("operator")}});
  auto call = std::async(std::launch::async, [&] { return failure_of(connection); });
  RawPeer peer = silent.accept();
  connection.interrupt();
  EXPECT_EQ(call.get().code, ErrorCode::kUnavailable);
}

TEST_F(Tls, BoundsTheHandshakeOfAClient) {
  RawListener silent;
  NodeConnection connection(
      silent.address(),
      {.connect_timeout = milliseconds(100), .tls = {.context = context("operator")}});
  const Failure failure = failure_of(connection);
  EXPECT_EQ(failure.code, ErrorCode::kUnreachable);
  EXPECT_EQ(failure.message, silent.address().text() + ": no TLS handshake in time");
}

TEST_F(Tls, CutsASlowHandshakeAtTheFrameDeadline) {
  frame_deadline_ = milliseconds(150);
  Server& server = serve("coordinator");
  RawPeer silent(address_of(server));
  RawPeer slow(address_of(server));
  slow.send(std::string("\x16\x03\x01\x02", 4));  // The beginning of a ClientHello.
  EXPECT_TRUE(silent.closed_within(kAmple));
  EXPECT_TRUE(slow.closed_within(kAmple));
  EXPECT_EQ(world_.connections, 0);
  NodeConnection connection = connection_as("operator");
  EXPECT_EQ(hello(connection, "echo"), "echo");
}

TEST_F(Tls, StopsWithoutWaitingForAHandshake) {
  Server& server = serve("coordinator");
  RawPeer silent(address_of(server));
  ASSERT_TRUE(eventually([&] { return server.clients() == 1; }));
  const auto start = Socket::Clock::now();
  EXPECT_TRUE(server.stop());
  EXPECT_LT(Socket::Clock::now() - start, std::chrono::seconds(2));
}

TEST_F(Tls, ServerRefusesAPlainClient) {
  serve("coordinator");
  const auto say_hello = [](wire::NodeServiceClient& client) {
    wire::HelloResponse response;
    client.hello(response, {});
  };
  NodeConnection plain(address_of(*server_), {}, say_hello);
  const Failure failure = failure_of(plain);
  EXPECT_EQ(failure.code, ErrorCode::kUnreachable);
  EXPECT_EQ(failure.message,
            address_of(*server_).text() +
                ": closed the connection at once; if it wants TLS, give --tls-cert, --tls-key and "
                "--tls-ca");
  EXPECT_EQ(world_.connections, 0);
}

TEST_F(Tls, PlainServerClosesAtAClientHello) {
  World world;
  Server plain(options(), make_handlers(world));
  plain.start();
  NodeConnection connection(address_of(plain), {.tls = {.context = context("operator")}});
  const Failure failure = failure_of(connection);
  EXPECT_EQ(failure.code, ErrorCode::kUnreachable);
  EXPECT_THAT(failure.message,
              AllOf(StartsWith(address_of(plain).text()), HasSubstr("leave out --tls-*")));
  EXPECT_EQ(world.calls, 0);
}

TEST_F(Tls, ClientNamesWhatSpeaksNoTls) {
  RawListener listener;
  NodeConnection connection(listener.address(), {.tls = {.context = context("operator")}});
  auto call = std::async(std::launch::async, [&] { return failure_of(connection); });
  RawPeer peer = listener.accept();
  peer.send("SSH-2.0-something else\r\n");
  const Failure failure = call.get();
  EXPECT_EQ(failure.code, ErrorCode::kUnreachable);
  EXPECT_THAT(failure.message, HasSubstr("speaks no TLS"));
}

// What a client is told whose certificate the server does not accept.
TEST_F(Tls, ServerRefusesAnotherCa) {
  serve("coordinator");
  const Certificates others;
  TlsFiles files = others.of("operator");
  const auto both = others.path("both.crt");  // It accepts the server, but not the reverse.
  gradmill::test::run_shell("cat " + files.ca + " " + certificates_.path("ca.crt") + " >" + both);
  files.ca = both;
  NodeConnection connection(
      address_of(*server_),
      {.tls = {.context = std::make_shared<TlsContext>(files, TlsRole::kClient)}});
  const Failure failure = failure_of(connection);
  EXPECT_EQ(failure.code, ErrorCode::kNotAllowed);
  EXPECT_EQ(failure.message,
            address_of(*server_).text() + ": refuses our certificate: another CA signed it");
  EXPECT_EQ(world_.connections, 0);
}

TEST_F(Tls, ClientRefusesAnotherCa) {
  serve("coordinator");
  const Certificates others;
  NodeConnection connection(
      address_of(*server_),
      {.tls = {.context = std::make_shared<TlsContext>(others.of("operator"), TlsRole::kClient)}});
  const Failure failure = failure_of(connection);
  EXPECT_EQ(failure.code, ErrorCode::kNotAllowed);
  EXPECT_EQ(failure.message,
            address_of(*server_).text() + ": its certificate was not signed by the CA in --tls-ca");
  EXPECT_EQ(world_.connections, 0);
}

TEST_F(Tls, ClientRefusesAnotherHost) {
  certificates_.sign_again("coordinator", "subjectAltName=DNS:elsewhere", 1);
  serve("coordinator");
  NodeConnection connection = connection_as("operator");
  const Failure failure = failure_of(connection);
  EXPECT_EQ(failure.code, ErrorCode::kNotAllowed);
  EXPECT_EQ(failure.message,
            address_of(*server_).text() +
                ": its certificate is not for 127.0.0.1; make one that names this host");
  EXPECT_EQ(world_.connections, 0);
}

TEST_F(Tls, ClientChecksNamesAsWellAsAddresses) {
  serve("coordinator");
  NodeConnection right({"localhost", server_->port()}, {.tls = {.context = context("operator")}});
  EXPECT_EQ(hello(right, "echo"), "echo");
}

TEST_F(Tls, ClientRefusesAUserThatPlaysTheServer) {
  certificates_.sign_again(
      "viewer", "subjectAltName=IP:127.0.0.1\\nextendedKeyUsage=clientAuth", 1);
  serve("viewer", TlsRole::kClient);
  NodeConnection connection = connection_as("operator");
  const Failure failure = failure_of(connection);
  EXPECT_EQ(failure.code, ErrorCode::kNotAllowed);
  EXPECT_THAT(failure.message, HasSubstr("its certificate is not for servers"));
}

TEST_F(Tls, ClientRefusesANameThatIsNotAllowed) {
  serve("node");
  const auto names = std::make_shared<AllowedNames>(AllowedNames{{"other"}, "--tls-nodes"});
  NodeConnection connection(address_of(*server_),
                            {.tls = {.context = context("coordinator"), .names = names}});
  const Failure failure = failure_of(connection);
  EXPECT_EQ(failure.code, ErrorCode::kNotAllowed);
  EXPECT_EQ(failure.message,
            address_of(*server_).text() +
                ": its certificate is that of 'node', whom --tls-nodes does not name");
  EXPECT_EQ(world_.calls, 0);
}

// A peer that speaks TLS by OpenSSL alone, for what our own client would never do.
class TlsPeer {
 public:
  using Setup = std::function<void(SSL_CTX*)>;

  TlsPeer(const Address& address, const Setup& setup)
      : context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free),
        fd_(connect_to(address, kAmple, nullptr)) {
    SSL_CTX_set_security_level(context_.get(), 0);  // Else OpenSSL itself refuses old versions.
    setup(context_.get());
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd_.get());
    SSL_set_connect_state(ssl_.get());
  }

  /// Says hello; whether anything but a refusal comes back.
  bool is_served() {
    const std::string call = hello_call("echo");
    std::string answer(1, '\0');
    const auto end = Socket::Clock::now() + kAmple;
    int result = 0;
    while ((result = SSL_write(ssl_.get(), call.data(), static_cast<int>(call.size()))) <= 0) {
      if (!wait(result) || Socket::Clock::now() > end) {
        return false;
      }
    }
    while ((result = SSL_read(ssl_.get(), answer.data(), 1)) <= 0) {
      if (!wait(result) || Socket::Clock::now() > end) {
        return false;
      }
    }
    return true;
  }

 private:
  bool wait(int result) {
    const int error = SSL_get_error(ssl_.get(), result);
    pollfd waits{
        fd_.get(), static_cast<short>(error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN), 0};
    return (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) &&
           ::poll(&waits, 1, 100) >= 0;
  }

  openssl::Context context_;
  Descriptor fd_;
  openssl::Ssl ssl_;
};

void use(SSL_CTX* context, const TlsFiles& files) {
  SSL_CTX_use_certificate_file(context, files.cert.c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM);
}

TEST_F(Tls, ServesTls12AndLaterOnly) {
  serve("coordinator");
  const auto served = [&](int version) {
    TlsPeer peer(address_of(*server_), [&](SSL_CTX* context) {
      SSL_CTX_set_min_proto_version(context, version);
      SSL_CTX_set_max_proto_version(context, version);
      use(context, certificates_.of("operator"));
    });
    return peer.is_served();
  };
  EXPECT_FALSE(served(TLS1_VERSION));
  EXPECT_FALSE(served(TLS1_1_VERSION));
  EXPECT_EQ(world_.connections, 0);
  EXPECT_TRUE(served(TLS1_2_VERSION));
  EXPECT_TRUE(served(TLS1_3_VERSION));
}

TEST_F(Tls, ServerRefusesClientsWithoutAGoodCertificate) {
  serve("coordinator");
  certificates_.add_user("alice");
  const auto is_served_with = [&](const TlsFiles& files) {
    TlsPeer peer(address_of(*server_), [&](SSL_CTX* context) { use(context, files); });
    return peer.is_served();
  };
  EXPECT_TRUE(is_served_with(certificates_.of("alice")));
  const int before = world_.connections;

  TlsPeer nobody(address_of(*server_), [](SSL_CTX*) {});
  EXPECT_FALSE(nobody.is_served());
  certificates_.sign_again("alice", "extendedKeyUsage=clientAuth", -1);
  EXPECT_FALSE(is_served_with(certificates_.of("alice"))) << "expired";
  certificates_.sign_again("alice", "extendedKeyUsage=serverAuth", 1);
  EXPECT_FALSE(is_served_with(certificates_.of("alice"))) << "no certificate for clients";
  certificates_.sign_by_itself("alice");
  EXPECT_FALSE(is_served_with(certificates_.of("alice"))) << "self-signed";
  EXPECT_EQ(world_.connections, before);
}

// Names come with the connection that a handler is made for.
class NamingHandlers final : public apache::thrift::TProcessorFactory {
 public:
  explicit NamingHandlers(World& world) : handlers_(make_handlers(world)) {}
  std::shared_ptr<apache::thrift::TProcessor> getProcessor(
      const apache::thrift::TConnectionInfo& connection) override {
    names.push_back(peer_of(connection).value_or(PeerIdentity{"nobody"}).name);
    return handlers_->getProcessor(connection);
  }
  std::vector<std::string> names;

 private:
  std::shared_ptr<apache::thrift::TProcessorFactory> handlers_;
};

TEST_F(Tls, TellsHandlersWhoCalls) {
  const auto handlers = std::make_shared<NamingHandlers>(world_);
  ServerOptions secure = options();
  secure.tls = context("coordinator", TlsRole::kServer);
  Server server(secure, handlers);
  server.start();
  for (const char* const name : {"operator", "viewer"}) {
    NodeConnection connection(address_of(server), {.tls = {.context = context(name)}});
    hello(connection, "echo");
  }
  EXPECT_THAT(handlers->names, testing::ElementsAre("operator", "viewer"));
}

TEST_F(Tls, ReloadsForNewConnectionsAndKeepsTheOld) {
  serve("coordinator");
  NodeConnection old = connection_as("operator");
  hello(old, "echo");
  NodeConnection late = connection_as("operator");

  certificates_.sign_again("coordinator", "subjectAltName=DNS:elsewhere", 1);
  EXPECT_EQ(hello(old, "echo"), "echo");
  server_tls_->reload();
  EXPECT_THAT(failure_of(late).message, HasSubstr("not for 127.0.0.1"));
  EXPECT_EQ(hello(old, "echo"), "echo");

  certificates_.sign_again("coordinator", kLoopbackServer, 1);
  server_tls_->reload();
  EXPECT_EQ(hello(late, "echo"), "echo");
  EXPECT_EQ(world_.connections, 2);
}

TEST_F(Tls, AFailedReloadChangesNothing) {
  serve("coordinator");
  std::ofstream(certificates_.path("coordinator.crt")) << "no certificate";
  server_tls_->reload();
  NodeConnection connection = connection_as("operator");
  EXPECT_EQ(hello(connection, "echo"), "echo");

  certificates_.sign_again("coordinator", "extendedKeyUsage=clientAuth", 1);
  server_tls_->reload();
  NodeConnection another = connection_as("operator");
  EXPECT_EQ(hello(another, "echo"), "echo");
}

}  // namespace
}  // namespace gradmill::rpc::test
