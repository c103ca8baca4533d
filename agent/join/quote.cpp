#include "agent/join/quote.hpp"

namespace holdfast::agent {

Result<wire::JsonObject> quote_of(keys::TpmDevice& device, const wire::JsonObject& challenge) {
  const Bytes nonce = TRY(from_base64(TRY(wire::get_string(challenge, "nonce"))));
  std::vector<unsigned> pcrs;
  for (const wire::Json& pcr : *TRY(wire::get_array(challenge, "pcrs"))) {
    const auto* number = pcr.if_int64();
    if (number == nullptr || *number < 0 || *number >= tpm::kPcrsMax) {
      return fail(Code::protocol_error, "the server asks for a PCR that there is not");
    }
    pcrs.push_back(static_cast<unsigned>(*number));
  }
  const auto quote = TRY(device.quote(nonce, pcrs));
  wire::JsonObject values;
  for (const auto& [number, value] : quote.values) values[std::to_string(number)] = to_hex(value);
  return wire::JsonObject{{"quote_attest", to_base64(quote.said.attest)},
                          {"quote_signature", to_base64(quote.said.signature)},
                          {"pcrs", std::move(values)}};
}

}  // namespace holdfast::agent
