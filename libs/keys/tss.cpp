#include "libs/keys/tss.hpp"

#include <dlfcn.h>

#include <array>
#include <cstdio>
#include <string>

namespace holdfast::keys {
namespace {

constexpr const char* kEsysName = "libtss2-esys.so.0";
constexpr const char* kMarshalName = "libtss2-mu.so.0";
constexpr const char* kLoaderName = "libtss2-tctildr.so.0";

constexpr TSS2_RC kFormatOne = 0x80;
// The error number of a format-one code, without its parameter, handle or session number.
TSS2_RC bare(TSS2_RC code) {
  return (code & kFormatOne) != 0 ? code & 0xBFU : code & 0xFFFU;
}

Result<void*> open_library(const char* name) {
  void* library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library != nullptr) return library;
  return fail(Code::key_store_unavailable,
              std::string(name) +
                  " cannot be loaded: install tpm2-tss (Debian: libtss2-esys-3.0.2-0, "
                  "libtss2-tctildr0)");
}

template <class Function>
Status find_function(void* library, const char* name, Function& out) {
  out = reinterpret_cast<Function>(::dlsym(library, name));
  if (out != nullptr) return {};
  return fail(Code::key_store_unavailable,
              std::string("tpm2-tss has no ") + name + ": it is too old");
}

}  // namespace

Result<std::shared_ptr<const Tss>> load_tss() {
  void* const esys = TRY(open_library(kEsysName));
  void* const marshal = TRY(open_library(kMarshalName));
  void* const loader = TRY(open_library(kLoaderName));
  auto tss = std::make_shared<Tss>();
#define HOLDFAST_FIND(name) TRY(find_function(esys, "Esys_" #name, tss->name));
  HOLDFAST_ESYS(HOLDFAST_FIND)
#undef HOLDFAST_FIND
  TRY(find_function(loader, "Tss2_TctiLdr_Initialize", tss->tcti_initialize));
  TRY(find_function(loader, "Tss2_TctiLdr_Finalize", tss->tcti_finalize));
  TRY(find_function(marshal, "Tss2_MU_TPM2B_PUBLIC_Marshal", tss->put_public));
  TRY(find_function(marshal, "Tss2_MU_TPM2B_PUBLIC_Unmarshal", tss->get_public));
  TRY(find_function(marshal, "Tss2_MU_TPM2B_PRIVATE_Marshal", tss->put_private));
  TRY(find_function(marshal, "Tss2_MU_TPM2B_PRIVATE_Unmarshal", tss->get_private));
  TRY(find_function(marshal, "Tss2_MU_TPMT_SIGNATURE_Marshal", tss->put_signature));
  return std::shared_ptr<const Tss>(std::move(tss));
}

bool tss_connection_lost(TSS2_RC code) {
  return (code & TSS2_RC_LAYER_MASK) == TSS2_TCTI_RC_LAYER;
}

Error tss_error(TSS2_RC code, std::string_view doing) {
  std::array<char, 16> number{};
  std::snprintf(number.data(), number.size(), "0x%x", static_cast<unsigned>(code));
  const std::string what = "TPM, " + std::string(doing) + ": ";
  const auto error = [&](Code ours, std::string_view why) {
    return Error{ours, what + std::string(why) + " (" + number.data() + ")", {}, {}, {}};
  };
  if (tss_connection_lost(code)) return error(Code::key_store_unavailable, "it does not answer");
  // Resource managers wrap the TPM's own codes in a layer of theirs.
  switch (bare(code & ~TSS2_RC_LAYER_MASK)) {
    case TPM2_RC_LOCKOUT:
      return error(Code::key_store_locked, "it is in lockout after too many wrong secrets");
    case TPM2_RC_AUTH_FAIL & 0xBFU:
    case TPM2_RC_BAD_AUTH & 0xBFU:
      return error(Code::key_store_locked,
                   "it refuses the authorisation: a hierarchy has a password");
    case TPM2_RC_INTEGRITY & 0xBFU:
      return error(Code::corrupt, "what it should load was made by another TPM, or is damaged");
    case TPM2_RC_OBJECT_MEMORY:
    case TPM2_RC_SESSION_MEMORY:
      return error(Code::key_store_unavailable, "its slots are taken by others");
    default:
      return error(Code::key_store_unavailable, "it refuses");
  }
}

}  // namespace holdfast::keys
