// Seals single values for SQL columns: AES-256-GCM under a key of the ring, with table, row and
// column as associated data, so that a value moved to another place does not open (decision 8).
// Sealed form: version 1 (1 byte), key id (8 bytes, little-endian), nonce (12), cipher text, tag
// (16). Threads: any.
#pragma once

#include <string_view>

#include "libs/base/bytes.hpp"
#include "libs/base/result.hpp"
#include "libs/os/entropy.hpp"

namespace holdfast::seal {

class Ring;

inline constexpr std::string_view kPurpose = "sql";

// Where a value lies. `row` is the row's primary key as bytes (an id's 16 bytes, or text).
struct Place {
  std::string_view table;
  View row;
  std::string_view column;
};

class Sealer {
 public:
  Sealer(Ring& ring, os::Entropy& entropy) : ring_(ring), entropy_(entropy) {}

  // Under the newest key of `purpose`. A purpose of its own ("subject:dev_...") makes values that
  // destroying its key erases, in backups too; open() finds the key by what the value names.
  Result<Bytes> seal(const Place& place, View plain, std::string_view purpose = kPurpose) const;
  Result<Bytes> seal(const Place& place, std::string_view plain) const {
    return seal(place, view_of(plain));
  }
  // corrupt: damaged, moved from another place, or its key is gone from the ring.
  Result<Bytes> open(const Place& place, View sealed) const;
  Result<std::string> open_text(const Place& place, View sealed) const;

 private:
  Ring& ring_;
  os::Entropy& entropy_;
};

}  // namespace holdfast::seal
