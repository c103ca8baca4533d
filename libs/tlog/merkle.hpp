// The Merkle tree of RFC 9162 section 2.1 over SHA-256: roots, inclusion and consistency proofs.
// Leaves are entries in order; a node is named by its level (0: leaves) and its index there, and is
// complete: node (l, i) covers leaves i * 2^l up to (i+1) * 2^l. Pure; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/result.hpp"

namespace holdfast::tlog {

using Hash = std::array<std::uint8_t, 32>;

Hash leaf_hash(View entry);                           // SHA-256(0x00 || entry)
Hash node_hash(const Hash& left, const Hash& right);  // SHA-256(0x01 || left || right)
Hash empty_root();                                    // SHA-256 of nothing

// The tree as it grows: the complete nodes of its right edge, largest first.
class Edge {
 public:
  void append(const Hash& leaf);
  std::uint64_t size() const { return size_; }
  Hash root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> peaks_;  // one per set bit of size_, largest first
};

// Where the hashes of complete nodes come from.
using NodeReader = std::function<Result<Hash>(unsigned level, std::uint64_t index)>;

Result<Hash> root_of(std::uint64_t size, const NodeReader& read);
// RFC 9162 section 2.1.3.1: leaf side first. invalid_argument unless index < size.
Result<std::vector<Hash>> inclusion_path(std::uint64_t index, std::uint64_t size,
                                         const NodeReader& read);
// Section 2.1.3.2: the root that leaf and path lead to; corrupt if the path has the wrong length.
Result<Hash> root_from_path(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                            const std::vector<Hash>& path);
// Section 2.1.4.1; empty when old_size is 0 or size. invalid_argument unless old_size <= size.
Result<std::vector<Hash>> consistency_path(std::uint64_t old_size, std::uint64_t size,
                                           const NodeReader& read);
// Section 2.1.4.2: does the tree of `size` and `root` begin with that of `old_size` and `old_root`?
bool consistent(std::uint64_t old_size, const Hash& old_root, std::uint64_t size, const Hash& root,
                const std::vector<Hash>& path);

}  // namespace holdfast::tlog
