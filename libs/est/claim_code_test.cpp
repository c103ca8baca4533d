#include "libs/est/claim_code.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "libs/wire/cbor.hpp"

namespace holdfast::est {
namespace {

std::array<std::uint8_t, kClaimRandomBytes> counted(std::uint8_t start) {
  std::array<std::uint8_t, kClaimRandomBytes> random{};
  for (std::size_t i = 0; i < random.size(); ++i) {
    random[i] = static_cast<std::uint8_t>(start + 37 * i);
  }
  return random;
}
const std::string kClaim = make_claim(counted(1));

JoinCode join_code() {
  JoinCode code;
  code.device = "192.0.2.10:8444";
  code.mqtt = "192.0.2.10:8883";
  for (std::size_t i = 0; i < 32; ++i) code.ca_fingerprint[i] = static_cast<std::uint8_t>(i);
  code.claim = kClaim;
  return code;
}

std::string contract() {
  std::ifstream file("contract/device-protocol.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Claim, LooksAsTheContractSays) {
  const std::regex form("hfc_[0-9a-hjkmnp-tv-z]{26}");
  std::set<std::string> all;
  for (int i = 0; i < 256; ++i) {
    const std::string claim = make_claim(counted(static_cast<std::uint8_t>(i)));
    EXPECT_TRUE(std::regex_match(claim, form)) << claim;
    EXPECT_EQ(*parse_claim(claim), claim);
    all.insert(claim);
  }
  EXPECT_EQ(all.size(), 256U);
}

TEST(Claim, EveryBitOf125Counts) {
  const std::array<std::uint8_t, kClaimRandomBytes> zero{};
  for (std::size_t bit = 0; bit < 125; ++bit) {
    auto one = zero;
    one[bit / 8] = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    EXPECT_NE(make_claim(one), make_claim(zero)) << bit;
  }
}

TEST(Claim, IsReadAsPeopleType) {
  std::string upper = kClaim;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  std::string spaced;
  for (const char c : kClaim) spaced += std::string(1, c) + " ";
  std::string mistaken = kClaim;
  for (char& c : mistaken) {
    if (c == '0') c = 'O';
    if (c == '1') c = 'l';
  }
  ASSERT_NE(mistaken, kClaim);  // the claim of this test has a 0 or a 1
  for (const std::string& typed :
       {upper, spaced, mistaken, grouped_claim(kClaim), kClaim.substr(4), " " + kClaim + "\r\n",
        "hfc " + kClaim.substr(4), "hfc-" + kClaim.substr(4)}) {
    EXPECT_EQ(parse_claim(typed).value_or(""), kClaim) << typed;
  }
}

TEST(Claim, AWrongCharacterShows) {
  constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  for (std::size_t i = 4; i < kClaim.size(); ++i) {
    for (const char c : kAlphabet) {
      if (c == kClaim[i]) continue;
      std::string wrong = kClaim;
      wrong[i] = c;
      EXPECT_FALSE(parse_claim(wrong)) << wrong;
    }
  }
}

TEST(Claim, TwoThatChangedPlacesShow) {
  for (std::size_t i = 4; i < kClaim.size(); ++i) {
    for (std::size_t j = i + 1; j < kClaim.size(); ++j) {
      if (kClaim[i] == kClaim[j]) continue;
      std::string wrong = kClaim;
      std::swap(wrong[i], wrong[j]);
      EXPECT_FALSE(parse_claim(wrong)) << wrong;
    }
  }
}

TEST(Claim, SaysWhatIsWrong) {
  const auto message = [](std::string_view typed) {
    const auto parsed = parse_claim(typed);
    EXPECT_EQ(parsed.error().code, Code::invalid_argument);
    return parsed.error().message;
  };
  EXPECT_NE(message("hfc_abc").find("this has 6"), std::string::npos);
  EXPECT_NE(message("").find("this has 0"), std::string::npos);
  EXPECT_NE(message(kClaim + "0").find("whole"), std::string::npos);
  EXPECT_NE(message("hfc_" + std::string(26, 'u')).find("no u"), std::string::npos);
  EXPECT_NE(message(std::string(1000, 'a')).find("too long"), std::string::npos);
  std::string wrong = kClaim;
  wrong[10] = wrong[10] == 'a' ? 'b' : 'a';
  EXPECT_NE(message(wrong).find("compare"), std::string::npos);
  EXPECT_EQ(message(wrong).find(wrong.substr(4)), std::string::npos);  // secrets are not repeated
}

TEST(Claim, IsShownInGroups) {
  const std::string shown = grouped_claim("hfc_7q2m4n6p8r0s2t4v6w8x0y2z4w");
  EXPECT_EQ(shown, "hfc_7q2m4-n6p8r-0s2t4-v6w8x-0y2z4w");
}

TEST(JoinCode, RoundTrip) {
  for (const char* host : {"192.0.2.10", "hub.example", "[2001:db8::1]", "a"}) {
    JoinCode code = join_code();
    code.device = std::string(host) + ":8444";
    code.mqtt = std::string(host) + ":1";
    const auto text = encode_join_code(code);
    ASSERT_TRUE(text) << host;
    EXPECT_EQ(*parse_join_code(*text), code);
    EXPECT_TRUE(std::regex_match(*text, std::regex("hf1\\.[A-Za-z0-9_-]+")));
    EXPECT_LT(text->size(), 200U);
  }
}

TEST(JoinCode, TheContractsExampleIsRead) {
  const std::string page = contract();
  std::smatch code, claim;
  ASSERT_TRUE(std::regex_search(page, code, std::regex("hf1\\.[A-Za-z0-9_-]{60,}")));
  ASSERT_TRUE(std::regex_search(page, claim, std::regex("hfc_[0-9a-z]{26}")));
  const auto parsed = parse_join_code(code.str());
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->device, "192.0.2.10:8444");
  EXPECT_EQ(parsed->mqtt, "192.0.2.10:8883");
  EXPECT_EQ(parsed->claim, claim.str());
  EXPECT_EQ(parsed->ca_fingerprint, join_code().ca_fingerprint);
  EXPECT_EQ(*encode_join_code(*parsed), code.str());  // our bytes are the contract's
}

TEST(JoinCode, IsReadThroughLineBreaks) {
  const std::string text = *encode_join_code(join_code());
  std::string wrapped = "  ";
  for (std::size_t i = 0; i < text.size(); ++i) {
    wrapped.push_back(text[i]);
    if (i % 20 == 19) wrapped += "\r\n\t ";
  }
  EXPECT_EQ(*parse_join_code(wrapped), join_code());
}

TEST(JoinCode, LaterVersionsMayAddItems) {
  const JoinCode code = join_code();
  wire::CborWriter writer;
  writer.array(6).text(code.device).text(code.mqtt).bytes(code.ca_fingerprint).text(code.claim);
  writer.map(1).text("later").boolean(true).unsigned_integer(7);
  EXPECT_EQ(*parse_join_code("hf1." + to_base64url(writer.out())), code);
}

TEST(JoinCode, RefusesWhatIsCutOrOther) {
  const std::string text = *encode_join_code(join_code());
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    const auto parsed = parse_join_code(std::string_view(text).substr(0, cut));
    ASSERT_FALSE(parsed) << cut;
    EXPECT_EQ(parsed.error().code, Code::invalid_argument) << cut;
  }
  EXPECT_NE(parse_join_code("hf2." + text.substr(4)).error().message.find("another version"),
            std::string::npos);
  EXPECT_FALSE(parse_join_code(text + "AAAA"));
  EXPECT_FALSE(parse_join_code("hf1.!!!!"));
  EXPECT_FALSE(parse_join_code("HF1." + text.substr(4)));
  EXPECT_FALSE(parse_join_code(std::string(kJoinCodeBytesMax + 1, 'a')));
  EXPECT_FALSE(parse_join_code(""));
}

TEST(JoinCode, RefusesContentThatCannotBe) {
  for (const char* bad : {"", "host", "host:", ":8444", "host:0", "host:65536", "host:x", "a b:1",
                          "2001:db8::1:8444", "[]:1", "host/x:1", "user@host:1", "h\x01:1"}) {
    JoinCode code = join_code();
    code.device = bad;
    EXPECT_FALSE(encode_join_code(code)) << bad;
    wire::CborWriter writer;
    writer.array(4).text(bad).text(code.mqtt).bytes(code.ca_fingerprint).text(code.claim);
    EXPECT_FALSE(parse_join_code("hf1." + to_base64url(writer.out()))) << bad;
  }
  JoinCode code = join_code();
  code.claim[10] = code.claim[10] == 'a' ? 'b' : 'a';
  EXPECT_FALSE(encode_join_code(code));
  code = join_code();
  code.device = std::string(253, 'a') + ":8444";
  code.mqtt = std::string(253, 'b') + ":8883";
  EXPECT_NE(encode_join_code(code).error().message.find("too long"), std::string::npos);
  wire::CborWriter writer;
  writer.array(4).text(code.mqtt).text(code.mqtt).bytes(Bytes(31, 1)).text(kClaim);
  EXPECT_FALSE(parse_join_code("hf1." + to_base64url(writer.out())));
}

}  // namespace
}  // namespace holdfast::est
