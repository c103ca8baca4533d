// Sequences of what a session can meet: bytes from a client, answers of the domains in any order,
// evictions, time. The first byte of each step says what comes next; the rest is its content. What
// must hold whatever comes: no crash, what is written decodes as packets for a client,
// acknowledgements go only to what was published, at most one Close, and nothing after it.
#include <cstdio>
#include <cstdlib>
#include <list>
#include <source_location>

#include "server/hub/session/session.hpp"

namespace holdfast::hub {
namespace {
namespace mqtt = wire::mqtt;

class Zeros final : public os::Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, std::uint8_t{7}); }
};

void check(bool holds, std::source_location at = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "line %u does not hold\n", static_cast<unsigned>(at.line()));
  std::abort();
}

class Player {
 public:
  explicit Player(View input) : input_(input) {}

  void play() {
    while (input_.left() > 0) {
      step(byte());
      drain();
    }
  }

 private:
  std::uint8_t byte() { return input_.le<std::uint8_t>().value_or(0); }

  View piece() {
    const std::size_t size = std::min<std::size_t>(byte(), input_.left());
    return input_.take(size).value_or(View{});
  }

  std::string key() { return "command:" + std::to_string(byte() % 8); }

  control::Down message() {
    const auto name = byte();
    control::Down down{"command:" + std::to_string(name % 8),
                       "command/x/" + std::to_string(name % 8),
                       Bytes(name, 'x'),
                       {}};
    if (name % 3 == 0) down.topic = "twin/desired";
    if (name % 5 == 0) down.deadline = now_.wall + seconds(name % 4);
    return down;
  }

  Kept kept() {
    Kept kept;
    kept.tag = byte();
    for (int i = byte() % 4; i > 0; --i)
      kept.granted.push_back(
          {byte() % 2 == 0 ? "#" : "command/+/+", static_cast<std::uint8_t>(byte() % 2)});
    for (int i = byte() % 4; i > 0; --i)
      kept.in_flight.push_back({static_cast<std::uint16_t>(byte() + 1), key()});
    for (int i = byte() % 4; i > 0; --i) kept.settled.push_back(key());
    return kept;
  }

  Fetched fetched() {
    Fetched fetched;
    for (int i = byte() % 6; i > 0; --i) {
      const auto down = message();
      fetched.resolved.emplace_back(key(), byte() % 2 == 0 ? std::optional(down) : std::nullopt);
    }
    for (int i = byte() % 40; i > 0; --i) fetched.pending.push_back(message());
    if (byte() % 3 == 0) fetched.twin = message();
    return fetched;
  }

  Code code() { return kCodeTable[byte() % kCodeTable.size()].code; }
  Status status() { return byte() % 4 == 0 ? Status(fail(code(), "x")) : Status{}; }

  void step(std::uint8_t what) {
    switch (what % 14) {
      case 0:
      case 1:
      case 2:
        return feed(piece());
      case 3:
        return session_.admitted(byte() % 8 == 0 ? Result<Admitted>(fail(code(), "x"))
                                                 : Admitted{{}, now_.wall + hours(byte())},
                                 now_, out_);
      case 4:
        return session_.entered(status(), now_, out_);
      case 5:
        return session_.opened(
            byte() % 2 == 0 ? std::optional<Kept>(kept()) : std::optional<Kept>{}, now_, out_);
      case 6:
        return session_.stored(byte() % 80, status(), now_, out_);
      case 7:
        return session_.saved(status(), now_, out_);
      case 8:
        return session_.fetched(byte() % 8 == 0 ? Result<Fetched>(fail(code(), "x")) : fetched(),
                                now_, out_);
      case 9:
        return session_.prepared(
            byte() % 8 == 0 ? Result<Prepared>(fail(code(), "x")) : Prepared{{key()}}, now_, out_);
      case 10:
        return session_.wake(out_);
      case 11:
        return session_.evict(failure(code(), "x"), byte() % 2 == 0, now_, out_);
      case 12:
        now_.mono = now_.mono + seconds(byte());
        now_.wall = now_.wall + seconds(byte());
        return session_.time(now_, out_);
      default:
        return byte() % 16 == 0 ? session_.lost(failure(Code::closed, "x"), now_, out_)
                                : session_.blocked(byte() % 2 == 0, out_);
    }
  }

  // As the connection does: nothing is handed on while the session wants no input.
  void feed(View bytes) {
    if (decoder_.buffered() == 0) {
      fed_.emplace_back(bytes.begin(), bytes.end());
      decoder_.feed(fed_.back());
    }
    while (session_.wants_input()) {
      const auto packet = decoder_.next();
      if (!packet) {
        if (session_.phase() == Phase::connecting) version_ = decoder_.version().value_or(version_);
        return session_.refused(packet.error(), decoder_.version(), now_, out_);
      }
      if (!*packet) return;
      if (const auto* publish = std::get_if<mqtt::Publish>(&**packet);
          publish != nullptr && publish->qos == 1)
        ++published_;
      const auto* connect = std::get_if<mqtt::Connect>(&**packet);
      if (connect != nullptr && session_.phase() == Phase::connecting) version_ = connect->version;
      session_.packet(**packet, now_, out_);
      drain();
    }
    decoder_.keep();
  }

  void drain() {
    for (const auto& action : out_.actions) {
      check(!closed_);
      closed_ = std::holds_alternative<Close>(action);
      if (std::holds_alternative<Accepted>(action)) decoder_.set_packet_max(kPacketBytesMax);
    }
    check(!closed_ || session_.phase() == Phase::closed);
    check(session_.in_flight() <= 65'535);
    out_.actions.clear();
    if (!out_.bytes.empty()) look_at(std::exchange(out_.bytes, {}));
  }

  void look_at(const Bytes& bytes) {
    auto client = mqtt::Decoder::for_client(version_, mqtt::kRemainingMax);
    client.feed(bytes);
    for (;;) {
      const auto packet = client.next();
      check(packet.has_value());
      if (!*packet) break;
      if (std::holds_alternative<mqtt::Puback>(**packet)) ++acknowledged_;
    }
    check(client.buffered() == 0);
    check(acknowledged_ <= published_);
  }

  ByteReader input_;
  Zeros entropy_;
  Now now_{MonoTime{1'000'000'000}, WallTime{1'767'225'600'000'000}};
  Session session_{entropy_, now_, now_.mono + seconds(10)};
  mqtt::Decoder decoder_ = mqtt::Decoder::for_server(kConnectPacketBytesMax);
  mqtt::Version version_ = mqtt::Version::v5;
  std::list<Bytes> fed_;
  Output out_;
  std::size_t published_ = 0;
  std::size_t acknowledged_ = 0;
  bool closed_ = false;
};

}  // namespace
}  // namespace holdfast::hub

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  holdfast::hub::Player({data, size}).play();
  return 0;
}
