// The TPM software stack (tpm2-tss, ESAPI) by dlopen: a machine without a TPM needs no package, and
// the agent stays small. Private to libs/keys. The libraries stay loaded for the life of the
// process.
#pragma once

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>

#include <memory>

#include "libs/base/result.hpp"

// What we call of it; each name is a member of Tss.
#define HOLDFAST_ESYS(X) \
  X(Initialize)          \
  X(Finalize)            \
  X(Free)                \
  X(GetCapability)       \
  X(TR_FromTPMPublic)    \
  X(TR_Close)            \
  X(ReadPublic)          \
  X(CreatePrimary)       \
  X(Create)              \
  X(Load)                \
  X(FlushContext)        \
  X(Sign)                \
  X(Certify)             \
  X(Quote)               \
  X(PCR_Read)            \
  X(Unseal)              \
  X(StartAuthSession)    \
  X(PolicySecret)        \
  X(ActivateCredential)  \
  X(NV_ReadPublic)       \
  X(NV_Read)

namespace holdfast::keys {

struct Tss {
#define HOLDFAST_MEMBER(name) decltype(&Esys_##name) name = nullptr;
  HOLDFAST_ESYS(HOLDFAST_MEMBER)
#undef HOLDFAST_MEMBER
  decltype(&Tss2_TctiLdr_Initialize) tcti_initialize = nullptr;
  decltype(&Tss2_TctiLdr_Finalize) tcti_finalize = nullptr;
  decltype(&Tss2_MU_TPM2B_PUBLIC_Marshal) put_public = nullptr;
  decltype(&Tss2_MU_TPM2B_PUBLIC_Unmarshal) get_public = nullptr;
  decltype(&Tss2_MU_TPM2B_PRIVATE_Marshal) put_private = nullptr;
  decltype(&Tss2_MU_TPM2B_PRIVATE_Unmarshal) get_private = nullptr;
  decltype(&Tss2_MU_TPMT_SIGNATURE_Marshal) put_signature = nullptr;
};

// Code::key_store_unavailable when a library is missing, with its name.
Result<std::shared_ptr<const Tss>> load_tss();

// A response code as our error, with what was being done: an absent TPM, a lockout, a key of
// another TPM.
Error tss_error(TSS2_RC code, std::string_view doing);
// Whether the connection itself is broken and must be made anew.
bool tss_connection_lost(TSS2_RC code);

}  // namespace holdfast::keys
