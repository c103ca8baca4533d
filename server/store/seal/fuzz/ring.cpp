// Ring files, sealed values and recovery keys of any bytes: no crash, and nothing opens by accident.
#include <cstdlib>

#include "libs/os/sim/simulation.hpp"
#include "server/store/seal/ring.hpp"
#include "server/store/seal/sealer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  const View input(data, size);
  if (const auto key = seal::parse_recovery(text_of(input))) {
    // What is read is what would be written.
    if (!seal::parse_recovery(seal::recovery_text(*key))) std::abort();
  }
  os::sim::Simulation world(1);
  const os::System system = world.node("server").system();
  const seal::SecretKey seal_key(Bytes(seal::kKeyBytes, 7));
  const auto ring = seal::Ring::make(system, "/data.ring", seal_key);
  if (!ring || !(*ring)->create("sql")) std::abort();

  const seal::Sealer sealer(**ring, system.entropy);
  const Bytes row{1};
  if (sealer.open({"t", row, "c"}, input)) std::abort();

  // The real ring with other bytes behind it, then these bytes alone.
  const Bytes good = *(*ring)->export_file();
  Bytes longer = good;
  append(longer, input);
  for (const View file : {View(longer), input}) {
    if (!os::replace_file(system.files, "/other.ring", file)) std::abort();
    const auto opened = seal::Ring::open(system, "/other.ring", seal_key);
    if (opened && (*opened)->list().size() != 1) std::abort();
  }
  if (!os::replace_file(system.files, "/seal", input)) std::abort();
  (void)seal::load_seal_key(system.files, "/seal");
  if (seal::recover_seal_key(system.files, "/seal", seal_key)) std::abort();
  return 0;
}
