// For tests of transports: a world, a PKI of its time, a server and clients in it.
#pragma once

#include <gtest/gtest.h>

#include <list>

#include "libs/crypto/testing.hpp"
#include "libs/os/contract_test.hpp"

namespace holdfast::crypto::testing {

// Reads all that comes, as long as it lives.
class Ear {
 public:
  explicit Ear(std::unique_ptr<SecureStream> stream) : stream_(std::move(stream)) { listen(); }
  SecureStream& stream() { return *stream_; }
  const std::string& heard() const { return heard_; }
  bool ended() const { return ended_; }
  Code error() const { return error_ ? error_->code : Code{}; }
  bool over() const { return ended_ || error_.has_value(); }

 private:
  void listen() {
    for (;;) {
      std::array<std::uint8_t, 8192> part;
      auto count = stream_->read(part);
      if (!count && count.error().code == Code::would_block) break;
      if (!count) error_ = count.error();
      if (count && *count == 0) ended_ = true;
      if (over()) return;
      heard_ += text_of(View(part).first(*count));
    }
    stream_->wait_readable([this] { listen(); });
  }

  std::unique_ptr<SecureStream> stream_;
  std::string heard_;
  bool ended_ = false;
  std::optional<Error> error_;
};

enum class Wire { tls, plain };

class Lab {
 public:
  Lab(os::World& world, Wire wire)
      : world_(world),
        pki_(world.system().clock.wall()),
        transport_(wire == Wire::tls ? make_tls_transport(world.system().network, metrics_)
                                     : make_plain_transport(world.system().network, metrics_)) {}

  Pki& pki() { return pki_; }
  Transport& transport() { return *transport_; }
  Metrics& metrics() { return metrics_; }

  ServerSettings server_settings() {
    ServerSettings settings;
    settings.credential = pki_.server();
    settings.trust_der = pki_.trust();
    settings.refused = [this](const Refusal& refusal) { refusals_.push_back(refusal); };
    return settings;
  }

  ClientSettings client_settings(std::optional<Credential> credential = std::nullopt) {
    ClientSettings settings;
    settings.trust_der = {pki_.root_der()};
    settings.server_name = "127.0.0.1";
    settings.credential = std::move(credential);
    return settings;
  }
  ClientSettings device_settings() { return client_settings(pki_.device("dev_1")); }

  void serve(ServerSettings settings) {
    context_ = must(transport_->make_context(std::move(settings)));
    listener_ = must(transport_->listen(
        world_.loop(), {"127.0.0.1", 0}, context_, [this](std::unique_ptr<SecureStream> stream) {
          accepted_.push_back(std::make_unique<Ear>(std::move(stream)));
        }));
  }
  os::Endpoint endpoint() { return listener_->endpoint(); }
  ServerContext& context() { return *context_; }
  void stop_listening() { listener_.reset(); }

  // Answers at once; look at `connected` or `failed` later.
  struct Attempt {
    std::unique_ptr<Ear> connected;
    std::optional<Error> failed;
    bool done() const { return connected || failed; }
  };
  Attempt& start(ClientSettings settings, Duration limit = seconds(8)) {
    Attempt& attempt = attempts_.emplace_back();
    transport_->connect(world_.loop(), endpoint(), std::move(settings),
                        world_.loop().clock().mono() + limit,
                        [&attempt](Result<std::unique_ptr<SecureStream>> stream) {
                          if (!stream) {
                            attempt.failed = stream.error();
                          } else {
                            attempt.connected = std::make_unique<Ear>(*std::move(stream));
                          }
                        });
    return attempt;
  }
  Attempt& connect(ClientSettings settings, Duration limit = seconds(8)) {
    Attempt& attempt = start(std::move(settings), limit);
    EXPECT_TRUE(world_.until([&] { return attempt.done(); }));
    return attempt;
  }
  // Connects and waits for the server's side too.
  Ear& connect_fully(ClientSettings settings) {
    const std::size_t before = accepted_.size();
    Attempt& attempt = connect(std::move(settings));
    EXPECT_FALSE(attempt.failed) << attempt.failed->text();
    EXPECT_TRUE(world_.until([&] { return accepted_.size() > before; }));
    return *attempt.connected;
  }

  std::unique_ptr<os::Stream> raw_connect() {
    std::unique_ptr<os::Stream> made;
    world_.system().network.connect(
        world_.loop(), endpoint(), world_.loop().clock().mono() + seconds(5),
        [&](Result<std::unique_ptr<os::Stream>> stream) { made = must(std::move(stream)); });
    EXPECT_TRUE(world_.until([&] { return made != nullptr; }));
    return made;
  }

  std::vector<std::unique_ptr<Ear>>& accepted() { return accepted_; }
  std::vector<Refusal>& refusals() { return refusals_; }
  std::uint64_t count(std::string_view kind, std::string_view result) {
    const std::string row = "holdfast_" + std::string(kind) + "_handshakes_total{result=\"" +
                            std::string(result) + "\"} ";
    const std::string text = metrics_.text();
    const auto at = text.find(row);
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + row.size()));
  }

 private:
  os::World& world_;
  Metrics metrics_;
  Pki pki_;
  std::unique_ptr<Transport> transport_;
  std::shared_ptr<ServerContext> context_;
  std::list<Attempt> attempts_;
  std::vector<std::unique_ptr<Ear>> accepted_;
  std::vector<Refusal> refusals_;
  std::unique_ptr<os::Listener> listener_;
};

// The four combinations of transport and world.
class TransportFixture : public ::testing::TestWithParam<std::tuple<Wire, os::Kind>> {
 protected:
  TransportFixture() {
    const auto [wire, kind] = GetParam();
    if (kind == os::Kind::real) {
      world_ = std::make_unique<os::RealWorld>();
    } else {
      world_ = std::make_unique<os::SimWorld>();
    }
    lab_ = std::make_unique<Lab>(*world_, wire);
  }
  os::World& world() { return *world_; }
  Lab& lab() { return *lab_; }
  testing::Pki& pki() { return lab_->pki(); }
  bool until(std::function<bool()> condition) { return world_->until(std::move(condition)); }
  os::Loop& loop() { return world_->loop(); }
  std::uint64_t count(std::string_view result) {
    return lab_->count(std::get<0>(GetParam()) == Wire::tls ? "tls" : "plain", result);
  }
  // Connects with a credential that the server must refuse, and hears so.
  Code refusal_heard_by(ClientSettings settings) {
    Lab::Attempt& attempt = lab().connect(std::move(settings));
    EXPECT_TRUE(attempt.connected || attempt.failed);
    if (!attempt.connected) return attempt.failed->code;
    EXPECT_TRUE(until([&] { return attempt.connected->over(); }));
    EXPECT_TRUE(until([&] { return !lab().refusals().empty(); }));
    return attempt.connected->error();
  }

 private:
  std::unique_ptr<os::World> world_;
  std::unique_ptr<Lab> lab_;
};

inline std::string combination_name(
    const ::testing::TestParamInfo<std::tuple<Wire, os::Kind>>& info) {
  return std::string(std::get<0>(info.param) == Wire::tls ? "tls" : "plain") +
         (std::get<1>(info.param) == os::Kind::real ? "_real" : "_sim");
}

#define HOLDFAST_ALL_TRANSPORTS(suite)                                                \
  INSTANTIATE_TEST_SUITE_P(                                                           \
      All, suite,                                                                     \
      ::testing::Combine(::testing::Values(testing::Wire::tls, testing::Wire::plain), \
                         ::testing::Values(os::Kind::real, os::Kind::sim)),           \
      testing::combination_name)

}  // namespace holdfast::crypto::testing
