// A server that says anything: the session never breaks its own bounds.
#include <cstdlib>

#include "agent/control/commands.hpp"
#include "agent/control/twin.hpp"
#include "agent/mqtt/session.hpp"

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  agent::MqttSession session{agent::SessionOptions{}};
  MonoTime now{1};
  session.start(now);
  // First byte: where to begin, so that mutations need not find CONNACK and SUBACK.
  if (size > 0 && data[0] % 2 == 1) {
    const Bytes connack{0x20, 0x03, 0x00, 0x00, 0x00};
    session.receive(connack, now);
    const Bytes suback{0x90, 0x04, 0x00, 0x01, 0x00, 0x01};
    session.receive(suback, now);
    static_cast<void>(session.publish({"log", "{}", "application/json", 1}, now));
  }
  const View input(data, size);
  for (std::size_t at = 1; at < size; at += 64) {
    now = now + seconds(5);
    session.receive(input.subspan(at, std::min<std::size_t>(64, size - at)), now);
    session.tick(now);
    if (session.in_flight() > agent::MqttSession::kInFlightMax) std::abort();
    for (const auto& event : session.take_events()) {
      const auto* incoming = std::get_if<agent::Incoming>(&event);
      if (!incoming) continue;
      session.acknowledge(incoming->packet_id, wire::mqtt::Reason::success, now);
      static_cast<void>(agent::parse_desired(incoming->payload));
      if (auto command = agent::command_topic(incoming->topic)) {
        static_cast<void>(agent::parse_command(*std::move(command), incoming->payload));
      }
    }
  }
  return 0;
}
