// The MQTT decoder on any bytes: never crashes, gives the same packets however the bytes are cut,
// and every packet it accepts encodes to no more bytes and decodes to itself. Input: one byte of
// options, then the stream.
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "libs/wire/mqtt.hpp"

using namespace holdfast;
using namespace holdfast::wire::mqtt;

namespace {

constexpr std::uint32_t kPacketMax = 1 << 16;

// Packets own their payload here, so that they may be compared later.
struct Decoded {
  std::vector<Packet> packets;
  std::vector<std::unique_ptr<Bytes>> payloads;
  std::optional<Refusal> refusal;
};

Decoder fuzz_decoder(Side side, Version version) {
  if (side == Side::client) return Decoder::for_client(version, kPacketMax);
  return Decoder::for_server(kPacketMax);
}

// An accepted CONNECT in front, when the stream shall not have to bring one.
Bytes preamble(Side side, Version version, bool connected) {
  Bytes out;
  Connect connect;
  connect.version = version;
  if (side == Side::server && connected && !encode(connect, version, out)) std::abort();
  return out;
}

void pull_all(Decoder& decoder, Decoded& decoded) {
  while (!decoded.refusal) {
    auto packet = decoder.next();
    if (!packet) decoded.refusal = packet.error();
    if (!packet || !*packet) return;
    if (auto* publish = std::get_if<Publish>(&**packet)) {
      decoded.payloads.push_back(
          std::make_unique<Bytes>(publish->payload.begin(), publish->payload.end()));
      publish->payload = *decoded.payloads.back();
    }
    decoded.packets.push_back(std::move(**packet));
  }
}

Decoded decode_in_pieces(Decoder decoder, View stream, std::size_t piece) {
  Decoded decoded;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    const View part = stream.subspan(at, std::min(piece, stream.size() - at));
    const Bytes read(part.begin(), part.end());  // gone after this round
    decoder.feed(read);
    pull_all(decoder, decoded);
  }
  return decoded;
}

void check_round_trip(const Packet& packet, Side side, Version version) {
  Bytes bytes;
  if (!encode(packet, version, bytes)) std::abort();
  Decoder decoder = fuzz_decoder(side, version);
  const bool connect = std::holds_alternative<Connect>(packet);
  const Bytes before = preamble(side, version, !connect);
  decoder.feed(before);
  if (!before.empty() && !decoder.next()) std::abort();
  decoder.feed(bytes);
  const auto again = decoder.next();
  if (!again || !*again || !(**again == packet) || decoder.buffered() != 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto side = (data[0] & 1) != 0 ? Side::server : Side::client;
  const auto version = (data[0] & 2) != 0 ? Version::v5 : Version::v3_1_1;
  const bool connected = (data[0] & 4) != 0;
  const std::size_t piece = 1 + (data[0] >> 3);

  Bytes stream = preamble(side, version, connected);
  append(stream, View(data + 1, size - 1));
  const auto whole = decode_in_pieces(fuzz_decoder(side, version), stream, stream.size() + 1);
  const auto pieces = decode_in_pieces(fuzz_decoder(side, version), stream, piece);
  if (whole.packets != pieces.packets || whole.refusal != pieces.refusal) std::abort();

  std::optional<Version> spoken;
  if (side == Side::client) spoken = version;
  for (const auto& packet : whole.packets) {
    if (const auto* connect = std::get_if<Connect>(&packet)) {
      if (!spoken) spoken = connect->version;
      if (connect->version != *spoken) continue;  // a second one, of another version
    }
    check_round_trip(packet, side, *spoken);
  }
  return 0;
}
