// What a TPM says of the PCRs, as the server asks for it (contract/device-protocol.md sections 3.7
// and 3.8). Blocks for as long as the TPM takes. Stateless.
#pragma once

#include "libs/keys/tpm_device.hpp"
#include "libs/wire/json.hpp"

namespace holdfast::agent {

// `challenge` holds `nonce` and `pcrs`; the answer quote_attest, quote_signature and pcrs.
// Errors: protocol_error and invalid_argument (no such challenge), those of the TPM.
Result<wire::JsonObject> quote_of(keys::TpmDevice& device, const wire::JsonObject& challenge);

}  // namespace holdfast::agent
