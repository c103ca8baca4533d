#include "libs/crypto/plain_wire.hpp"

namespace holdfast::crypto::plain {
namespace {

constexpr std::string_view kMagic = "HFP1";
// What TLS would say by an alert; the index is what travels.
constexpr Code kVerdicts[] = {Code::tls_failed, Code::certificate_required,
                              Code::certificate_expired, Code::certificate_invalid};

Bytes framed(const Bytes& body) {
  Bytes out;
  store_be<std::uint32_t>(out, static_cast<std::uint32_t>(body.size()));
  append(out, body);
  return out;
}

void put_text(Bytes& out, std::string_view text) {
  text = text.substr(0, 255);
  out.push_back(static_cast<std::uint8_t>(text.size()));
  append(out, view_of(text));
}

void put_chain(Bytes& out, const std::vector<Bytes>& chain) {
  const std::size_t count = std::min(chain.size(), kChainMax);
  out.push_back(static_cast<std::uint8_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    store_be<std::uint32_t>(out, static_cast<std::uint32_t>(chain[i].size()));
    append(out, chain[i]);
  }
}

Result<std::string> take_text(ByteReader& from) {
  const std::uint8_t size = TRY(from.le<std::uint8_t>());
  return string_of(TRY(from.take(size)));
}

Result<std::vector<Bytes>> take_chain(ByteReader& from) {
  const std::uint8_t count = TRY(from.le<std::uint8_t>());
  if (count > kChainMax) return fail(Code::tls_failed, "the chain has too many certificates");
  std::vector<Bytes> chain;
  for (std::uint8_t i = 0; i < count; ++i) {
    const std::uint32_t size = TRY(from.be<std::uint32_t>());
    const View der = TRY(from.take(size));
    chain.emplace_back(der.begin(), der.end());
  }
  return chain;
}

// Runs `read` on the whole body; whatever does not fit gets this transport's own code.
template <class F>
auto whole(View body, F&& read) -> decltype(read(std::declval<ByteReader&>())) {
  ByteReader reader(body);
  auto result = read(reader);
  if (!result || !reader.done()) return fail(Code::tls_failed, "not a message of this transport");
  return result;
}

}  // namespace

Bytes encode(const ClientHello& hello) {
  Bytes body = bytes_of(kMagic);
  put_text(body, hello.server_name);
  const std::size_t count = std::min<std::size_t>(hello.alpn.size(), 255);
  body.push_back(static_cast<std::uint8_t>(count));
  for (std::size_t i = 0; i < count; ++i) put_text(body, hello.alpn[i]);
  return framed(body);
}

Bytes encode(const ServerHello& hello) {
  Bytes body;
  put_text(body, hello.alpn);
  body.push_back(hello.wants_certificate ? 1 : 0);
  put_chain(body, hello.chain);
  return framed(body);
}

Bytes encode_chain(const std::vector<Bytes>& chain) {
  Bytes body;
  put_chain(body, chain);
  return framed(body);
}

Bytes encode_verdict(std::optional<Code> refused) {
  if (!refused) return framed({0});
  const auto* found = std::find(std::begin(kVerdicts), std::end(kVerdicts), *refused);
  if (found == std::end(kVerdicts)) found = kVerdicts;
  return framed({static_cast<std::uint8_t>(found - kVerdicts + 1)});
}

Result<std::size_t> parse_header(View four) {
  const auto size = four.size() == kHeaderBytes ? load_be<std::uint32_t>(four.data()) : 0;
  if (size == 0 || size > kBodyBytesMax) return fail(Code::tls_failed, "the peer speaks otherwise");
  return size;
}

Result<ClientHello> parse_client_hello(View body) {
  return whole(body, [](ByteReader& from) -> Result<ClientHello> {
    if (text_of(TRY(from.take(kMagic.size()))) != kMagic) {
      return fail(Code::tls_failed, "no magic");
    }
    ClientHello hello;
    hello.server_name = TRY(take_text(from));
    const std::uint8_t count = TRY(from.le<std::uint8_t>());
    for (std::uint8_t i = 0; i < count; ++i) hello.alpn.push_back(TRY(take_text(from)));
    return hello;
  });
}

Result<ServerHello> parse_server_hello(View body) {
  return whole(body, [](ByteReader& from) -> Result<ServerHello> {
    ServerHello hello;
    hello.alpn = TRY(take_text(from));
    hello.wants_certificate = TRY(from.le<std::uint8_t>()) != 0;
    hello.chain = TRY(take_chain(from));
    return hello;
  });
}

Result<std::vector<Bytes>> parse_chain(View body) {
  return whole(body, [](ByteReader& from) { return take_chain(from); });
}

Result<std::optional<Code>> parse_verdict(View body) {
  return whole(body, [](ByteReader& from) -> Result<std::optional<Code>> {
    const std::uint8_t verdict = TRY(from.le<std::uint8_t>());
    if (verdict == 0) return std::optional<Code>();
    if (verdict > std::size(kVerdicts)) return fail(Code::tls_failed, "no such verdict");
    return std::optional(kVerdicts[verdict - 1]);
  });
}

}  // namespace holdfast::crypto::plain
