// Plays the public MQTT packet sequences of eclipse-mosquitto (described in the README beside them)
// through the codec: what they want refused for a reason of the codec is refused with that code,
// what they want accepted is accepted and encodes to the same bytes. Skipped where the data is not
// there.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "libs/wire/json.hpp"
#include "libs/wire/mqtt.hpp"

namespace holdfast::wire::mqtt {
namespace {

const std::filesystem::path kSequences = "../shared/data/mqtt-sequences";

void put_any_varint(Bytes& out, std::uint64_t value) {
  for (; value >= 128; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

// One word of a payload; the README beside the data lists them.
void put_word(Bytes& out, std::string_view word) {
  const std::string digits(word.substr(1));
  switch (word[0]) {
    case 'i':
      return store_be(out, static_cast<std::uint8_t>(std::stoul(digits)));
    case 'H':
    case 'k':
    case 'm':
    case 's':
      return store_be(out, static_cast<std::uint16_t>(std::stoul(digits)));
    case 'L':
      return store_be(out, static_cast<std::uint32_t>(std::stoul(digits)));
    case 'v':
    case 'r':
      return put_any_varint(out, std::stoull(digits));
    default:
      append(out, from_hex(word).value());
  }
}

Bytes bytes_of_words(std::string_view payload) {
  Bytes out;
  while (!payload.empty()) {
    if (payload[0] == ' ') {
      payload.remove_prefix(1);
    } else if (payload[0] == '\'') {
      const auto end = payload.find('\'', 1);
      append(out, view_of(payload.substr(1, end - 1)));
      payload.remove_prefix(end + 1);
    } else {
      const auto word = payload.substr(0, payload.find(' '));
      put_word(out, word);
      payload.remove_prefix(word.size());
    }
  }
  return out;
}

// A sequence's wish, as far as a codec can know of it.
struct Sequence {
  std::string file, group, name;
  Version version = Version::v3_1_1;
  bool connect = true;
  bool close = true;                             // the server must have closed at the end
  std::vector<std::pair<bool, Bytes>> messages;  // true: sent by the client
  std::string label() const { return file + " | " + group + " | " + name; }
};

// The test's own member, else the group's.
const Json* setting(const JsonObject& test, const JsonObject& group, std::string_view key) {
  if (const auto* own = test.if_contains(key)) return own;
  return group.if_contains(key);
}

Sequence read_sequence(const std::string& file, const JsonObject& group, const JsonObject& test,
                       std::int64_t& level) {
  Sequence sequence{
      file, get_string(group, "group").value(), get_string(test, "name").value(), {}, {}, {}, {}};
  const auto flag = [&](std::string_view key) {
    const auto* value = setting(test, group, key);
    return value == nullptr || value->get_bool();
  };
  sequence.connect = flag("connect");
  sequence.close = flag("expect_disconnect");
  const auto* ver = setting(test, group, "ver");
  level = ver == nullptr ? 4 : ver->get_int64();
  sequence.version = level == 5 ? Version::v5 : Version::v3_1_1;
  for (const auto& message : *get_array(test, "msgs").value()) {
    const auto& object = message.get_object();
    const auto type = get_string(object, "type").value();
    if (type != "send" && type != "recv") continue;  // done by another connection
    const auto bytes = bytes_of_words(get_string(object, "payload").value());
    sequence.messages.emplace_back(type == "send", bytes);
  }
  return sequence;
}

std::vector<Sequence> read_sequences() {
  std::vector<Sequence> all;
  for (const auto& entry : std::filesystem::directory_iterator(kSequences)) {
    if (entry.path().extension() != ".json") continue;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const auto groups = parse_json(text.str(), {1 << 20, 32, Duplicates::last_counts});
    EXPECT_TRUE(groups) << entry.path() << ": " << groups.error().text();
    if (!groups) continue;
    for (const auto& group : groups->get_array()) {
      for (const auto& test : group.get_object().at("tests").get_array()) {
        std::int64_t level = 0;
        auto sequence = read_sequence(entry.path().filename().string(), group.get_object(),
                                      test.get_object(), level);
        // MQTT 3.1 ("MQIsdp") is not spoken; its sequences only vary the CONNECT.
        if (level != 3) all.push_back(std::move(sequence));
      }
    }
  }
  return all;
}

// ---- what the codec makes of it

struct Outcome {
  std::optional<Refusal> refusal;
  bool left = false;  // the client sent DISCONNECT
};

// Shorter only by what may be left out; of equal length only when equal.
void expect_same_bytes(const Packet& packet, Version version, View read, const std::string& label) {
  Bytes written;
  const auto status = encode(packet, version, written);
  ASSERT_TRUE(status) << label << ": " << status.error().text();
  if (written.size() == read.size()) {
    EXPECT_EQ(to_hex(written), to_hex(read)) << label;
    return;
  }
  EXPECT_LT(written.size(), read.size()) << label << ": " << to_hex(written);
  const bool optional_end =
      std::holds_alternative<Puback>(packet) || std::holds_alternative<Pubrec>(packet) ||
      std::holds_alternative<Pubrel>(packet) || std::holds_alternative<Pubcomp>(packet) ||
      std::holds_alternative<Disconnect>(packet);
  EXPECT_TRUE(optional_end) << label << ": " << name_of(packet);
}

Version version_of(const Decoder& decoder) {
  return decoder.version().value_or(Version::v5);
}

// Pulls every packet out; each accepted one must encode to what was read.
Outcome drain(Decoder& decoder, View bytes, const std::string& label) {
  Outcome outcome;
  decoder.feed(bytes);
  std::size_t left = decoder.buffered();
  for (;;) {
    auto packet = decoder.next();
    if (!packet) {
      outcome.refusal = packet.error();
      return outcome;
    }
    if (!*packet) return outcome;
    const std::size_t used = left - decoder.buffered();
    left = decoder.buffered();
    const View read = bytes.subspan(bytes.size() - left - used, used);
    expect_same_bytes(**packet, version_of(decoder), read, label);
    outcome.left = outcome.left || std::holds_alternative<Disconnect>(**packet);
  }
}

Outcome play(const Sequence& sequence) {
  Decoder decoder = Decoder::for_server(kRemainingMax + 5);
  Bytes connect;
  if (sequence.connect) {
    Connect plain;
    plain.version = sequence.version;
    plain.keep_alive_s = 60;
    plain.client_id = sequence.name;
    EXPECT_TRUE(encode(plain, sequence.version, connect));
    EXPECT_FALSE(drain(decoder, connect, sequence.label()).refusal) << sequence.label();
  }
  Outcome outcome;
  for (const auto& [sent, bytes] : sequence.messages) {
    if (!sent || outcome.refusal) continue;
    const bool left = outcome.left;
    outcome = drain(decoder, bytes, sequence.label());
    outcome.left = outcome.left || left;
  }
  return outcome;
}

// The code with which the sequence wants the connection to end, if it wants one told.
std::optional<Reason> wanted_reason(const Sequence& sequence) {
  for (const auto& [sent, bytes] : sequence.messages) {
    if (sent) continue;
    if (bytes.size() == 3 && bytes[0] == 0xE0) return static_cast<Reason>(bytes[2]);
    if (bytes.size() == 5 && bytes[0] == 0x20 && bytes[3] >= 0x80) {
      return static_cast<Reason>(bytes[3]);
    }
    if (bytes.size() == 4 && bytes[0] == 0x20 && bytes[3] != 0) {  // CONNACK of 3.1.1
      return bytes[3] == 1 ? Reason::unsupported_protocol_version
                           : Reason::client_identifier_not_valid;
    }
  }
  return std::nullopt;
}

// Ends that need a session, or a broker's own policy: the codec accepts, the hub decides.
const std::set<std::string> kOfTheSession = {
    // A second CONNECT.
    "CONNECT.json | v3.1.1 CONNECT | 10 [MQTT-3.1.0-2]",
    "CONNECT.json | v3.1.1 CONNECT | duplicate CONNECT",
    // What the server offers.
    "CONNECT.json | v5.0   CONNECT EXTENDED AUTH | unsupported authentication method",
    "PUBLISH.json | v5.0   PUBLISH ALLOWED PROPERTIES | topic alias > max topic alias",
    "PUBLISH.json | v5.0   PUBLISH ALLOWED PROPERTIES | topic-alias (two byte integer) no topic",
    // No CONNACK fits the client's Maximum Packet Size.
    "CONNECT.json | v5.0   CONNECT | tiny max packet",
    // CONNECT had Session Expiry Interval 0 [MQTT-3.14.2-2].
    "DISCONNECT.json | v5.0   DISCONNECT | E0 non-zero session expiry",
    // The acknowledgement is not the one that the message wants.
    "FLOW.json | v3.1.1 FLOW | QoS 1 PUBLISH-PUBCOMP",
    "FLOW.json | v3.1.1 FLOW | QoS 1 PUBLISH-PUBREC",
    "FLOW.json | v3.1.1 FLOW | QoS 2 PUBLISH-PUBACK",
    "FLOW.json | v3.1.1 FLOW | QoS 2 PUBLISH-PUBCOMP",
    "FLOW.json | v3.1.1 FLOW | QoS 2 PUBLISH-PUBREC-PUBREL-PUBACK",
    "FLOW.json | v5.0   FLOW | QoS 1 PUBLISH-PUBCOMP",
    "FLOW.json | v5.0   FLOW | QoS 1 PUBLISH-PUBREC",
    "FLOW.json | v5.0   FLOW | QoS 2 PUBLISH-PUBACK",
    "FLOW.json | v5.0   FLOW | QoS 2 PUBLISH-PUBCOMP",
    "FLOW.json | v5.0   FLOW | QoS 2 PUBLISH-PUBREC-PUBREL-PUBACK",
    // A third resend of one message.
    "PUBLISH.json | v3.1.1 PUBLISH | 34 QoS 2 Dup flow*3",
    "PUBLISH.json | v5.0   PUBLISH | 34 QoS 2 Dup flow*3",
    // A filter with misplaced wildcards: device-protocol.md answers 0x8F or 0x80 in SUBACK.
    "SUBSCRIBE.json | v3.1.1 SUBSCRIBE | 82 invalid topic",
    "UNSUBSCRIBE.json | v3.1.1 UNSUBSCRIBE | A2 invalid topic",
};

TEST(MqttSequences, AreJudgedAsTheyWant) {
  if (!std::filesystem::exists(kSequences)) {
    GTEST_SKIP() << kSequences << " is not there: the public sequences are not played";
  }
  const auto sequences = read_sequences();
  EXPECT_GT(sequences.size(), 1'700u);
  std::size_t refused = 0, accepted = 0, of_the_session = 0;
  for (const auto& sequence : sequences) {
    const auto outcome = play(sequence);
    const auto reason = wanted_reason(sequence);
    if (!outcome.refusal && kOfTheSession.contains(sequence.label())) {
      ++of_the_session;
      continue;
    }
    if (!sequence.close) {
      EXPECT_FALSE(outcome.refusal) << sequence.label() << ": " << outcome.refusal->message;
      ++accepted;
    } else if (reason) {
      EXPECT_TRUE(outcome.refusal) << sequence.label() << ": accepted";
      if (!outcome.refusal) continue;
      EXPECT_EQ(name_of(outcome.refusal->reason), name_of(*reason))
          << sequence.label() << ": " << outcome.refusal->message;
      EXPECT_FALSE(outcome.refusal->silent) << sequence.label();
      ++refused;
    } else {
      EXPECT_TRUE(outcome.refusal || outcome.left) << sequence.label() << ": accepted";
      if (!outcome.refusal) continue;
      const bool unanswered = outcome.refusal->silent || sequence.version == Version::v3_1_1;
      EXPECT_TRUE(unanswered) << sequence.label() << ": " << outcome.refusal->message;
      ++refused;
    }
  }
  EXPECT_EQ(of_the_session, kOfTheSession.size());
  EXPECT_GT(refused, 1'300u);
  EXPECT_GT(accepted, 150u);
}

// What brokers send: read as a client.
TEST(MqttSequences, AnswersAreReadByAClient) {
  if (!std::filesystem::exists(kSequences)) GTEST_SKIP() << kSequences << " is not there";
  std::size_t answers = 0;
  for (const auto& sequence : read_sequences()) {
    for (const auto& [sent, bytes] : sequence.messages) {
      if (sent || bytes.empty()) continue;
      const bool v5_connack = bytes[0] == 0x20 && bytes.size() > 4;
      const auto version = v5_connack ? Version::v5 : sequence.version;
      Decoder decoder = Decoder::for_client(version, kRemainingMax + 5);
      const auto outcome = drain(decoder, bytes, sequence.label());
      EXPECT_FALSE(outcome.refusal) << sequence.label() << ": " << outcome.refusal->message;
      ++answers;
    }
  }
  EXPECT_GT(answers, 900u);
}

}  // namespace
}  // namespace holdfast::wire::mqtt
