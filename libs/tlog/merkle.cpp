#include "libs/tlog/merkle.hpp"

#include <algorithm>
#include <bit>

#include "libs/crypto/hash.hpp"

namespace holdfast::tlog {

namespace {

// The largest power of two smaller than n; n >= 2.
std::uint64_t split_of(std::uint64_t n) {
  return std::uint64_t{1} << (std::bit_width(n - 1) - 1);
}

// MTH(D[begin:end]) by the definition, out of complete nodes. `begin` is a multiple of the power of
// two at or above the length, as it is for every range that the proofs ask for.
Result<Hash> range_root(std::uint64_t begin, std::uint64_t end, const NodeReader& read) {
  const std::uint64_t length = end - begin;
  if (std::has_single_bit(length)) {
    const auto level = static_cast<unsigned>(std::countr_zero(length));
    return read(level, begin >> level);
  }
  const std::uint64_t split = split_of(length);
  const Hash left = TRY(range_root(begin, begin + split, read));
  const Hash right = TRY(range_root(begin + split, end, read));
  return node_hash(left, right);
}

}  // namespace

Hash leaf_hash(View entry) {
  Bytes bytes{0x00};
  append(bytes, entry);
  return crypto::sha256(bytes);
}

Hash node_hash(const Hash& left, const Hash& right) {
  std::array<std::uint8_t, 65> bytes{0x01};
  std::ranges::copy(left, bytes.begin() + 1);
  std::ranges::copy(right, bytes.begin() + 33);
  return crypto::sha256(bytes);
}

Hash empty_root() {
  return crypto::sha256({});
}

void Edge::append(const Hash& leaf) {
  Hash hash = leaf;
  // Each trailing one bit of the size is a complete node that merges with the new one.
  for (std::uint64_t bits = size_; (bits & 1U) != 0; bits >>= 1U) {
    hash = node_hash(peaks_.back(), hash);
    peaks_.pop_back();
  }
  peaks_.push_back(hash);
  ++size_;
}

Hash Edge::root() const {
  if (peaks_.empty()) return empty_root();
  Hash hash = peaks_.back();
  for (std::size_t i = peaks_.size() - 1; i-- > 0;) hash = node_hash(peaks_[i], hash);
  return hash;
}

Result<Hash> root_of(std::uint64_t size, const NodeReader& read) {
  if (size == 0) return empty_root();
  return range_root(0, size, read);
}

Result<std::vector<Hash>> inclusion_path(std::uint64_t index, std::uint64_t size,
                                         const NodeReader& read) {
  if (index >= size) return fail(Code::invalid_argument, "the tree has no such leaf yet");
  std::vector<Hash> path;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  while (end - begin > 1) {  // from the root down; turned round at the end
    const std::uint64_t middle = begin + split_of(end - begin);
    if (index < middle) {
      path.push_back(TRY(range_root(middle, end, read)));
      end = middle;
    } else {
      path.push_back(TRY(range_root(begin, middle, read)));
      begin = middle;
    }
  }
  std::ranges::reverse(path);
  return path;
}

Result<Hash> root_from_path(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                            const std::vector<Hash>& path) {
  if (index >= size) return fail(Code::corrupt, "the leaf lies beyond the tree");
  std::uint64_t place = index;
  std::uint64_t last = size - 1;
  Hash hash = leaf;
  for (const Hash& other : path) {
    if (last == 0) return fail(Code::corrupt, "the path is too long");
    if ((place & 1U) != 0 || place == last) {
      hash = node_hash(other, hash);
      while ((place & 1U) == 0 && place != 0) {
        place >>= 1U;
        last >>= 1U;
      }
    } else {
      hash = node_hash(hash, other);
    }
    place >>= 1U;
    last >>= 1U;
  }
  if (last != 0) return fail(Code::corrupt, "the path is too short");
  return hash;
}

Result<std::vector<Hash>> consistency_path(std::uint64_t old_size, std::uint64_t size,
                                           const NodeReader& read) {
  if (old_size > size) return fail(Code::invalid_argument, "the older tree is the larger one");
  std::vector<Hash> path;
  if (old_size == 0 || old_size == size) return path;
  // SUBPROOF(m, D[begin:end], complete) of section 2.1.4.1, unrolled.
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  bool complete = true;
  while (old_size != end) {
    const std::uint64_t middle = begin + split_of(end - begin);
    if (old_size <= middle) {
      path.push_back(TRY(range_root(middle, end, read)));
      end = middle;
    } else {
      path.push_back(TRY(range_root(begin, middle, read)));
      begin = middle;
      complete = false;
    }
  }
  if (!complete) path.push_back(TRY(range_root(begin, end, read)));
  std::ranges::reverse(path);
  return path;
}

bool consistent(std::uint64_t old_size, const Hash& old_root, std::uint64_t size, const Hash& root,
                const std::vector<Hash>& path) {
  if (old_size > size) return false;
  if (old_size == size) return path.empty() && old_root == root;
  if (old_size == 0) return path.empty() && old_root == empty_root();
  std::vector<Hash> hashes = path;
  if (std::has_single_bit(old_size)) hashes.insert(hashes.begin(), old_root);
  if (hashes.empty()) return false;
  std::uint64_t place = old_size - 1;
  std::uint64_t last = size - 1;
  while ((place & 1U) != 0) {
    place >>= 1U;
    last >>= 1U;
  }
  Hash old_hash = hashes.front();
  Hash new_hash = hashes.front();
  for (std::size_t i = 1; i < hashes.size(); ++i) {
    if (last == 0) return false;
    if ((place & 1U) != 0 || place == last) {
      old_hash = node_hash(hashes[i], old_hash);
      new_hash = node_hash(hashes[i], new_hash);
      while ((place & 1U) == 0 && place != 0) {
        place >>= 1U;
        last >>= 1U;
      }
    } else {
      new_hash = node_hash(new_hash, hashes[i]);
    }
    place >>= 1U;
    last >>= 1U;
  }
  return last == 0 && old_hash == old_root && new_hash == root;
}

}  // namespace holdfast::tlog
