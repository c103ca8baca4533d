// Attestation as JSON: what devices send and get (contract/device-protocol.md 3.7), and the contract's
// schemas for operators. Pure. Errors of what a device sends: payload_malformed with the member's name.
#pragma once

#include "libs/wire/json.hpp"
#include "server/identity/attest.hpp"

namespace holdfast::identity {

inline constexpr std::size_t kChainMax = 4;

Result<AttestBegin> attest_begin_of(const wire::Json& body);
Result<AttestProof> attest_proof_of(const wire::Json& body);  // of an enrolment
Result<AttestProof> check_proof_of(const wire::Json& body);   // of a check: the quote alone
wire::Json challenge_json(const Challenge& challenge);
wire::Json attested_json(const Attested& attested);
wire::Json checked_json(CheckResult result);

wire::Json root_json(const EndorsementRoot& root);
wire::Json endorsement_json(const Endorsement& endorsement);
wire::Json history_json(const Attestor::History& history);

}  // namespace holdfast::identity
