#include "server/store/events/filter.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace holdfast::events {
namespace {

constexpr std::size_t kPageEntries = 1'024;
constexpr unsigned kRemainderBits = 6;
constexpr unsigned kBlockBits = 5;
constexpr std::size_t kSlots = 1U << 15U;
constexpr std::uint64_t kQuotientMax = 1U << 20U;
__extension__ typedef unsigned __int128 Wide;

std::uint64_t high(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>(Wide{a} * b >> 64U);
}
std::uint64_t value_on_page(std::uint64_t term, std::size_t pages, std::uint64_t scale) {
  return high(term * pages, scale << kRemainderBits);
}

class BitWriter {
 public:
  explicit BitWriter(Bytes& out) : out_(out) {}
  void put(std::uint64_t bits, unsigned count) {  // at most 32
    word_ |= bits << filled_;
    filled_ += count;
    for (; filled_ >= 8; filled_ -= 8, word_ >>= 8U)
      out_.push_back(static_cast<std::uint8_t>(word_));
  }
  void end() {
    if (filled_ > 0) out_.push_back(static_cast<std::uint8_t>(word_));
  }

 private:
  Bytes& out_;
  std::uint64_t word_ = 0;
  unsigned filled_ = 0;
};

class BitReader {
 public:
  explicit BitReader(View bytes) : bytes_(bytes) {}
  // The next 56 bits at least; zeros beyond the end.
  std::uint64_t peek() const {
    const std::size_t byte = at_ / 8;
    std::uint64_t word = 0;
    if (byte + 8 <= bytes_.size()) {
      word = load_le<std::uint64_t>(bytes_.data() + byte);
    } else {
      for (std::size_t i = bytes_.size(); i-- > std::min(byte, bytes_.size());)
        word = word << 8U | bytes_[i];
    }
    return word >> (at_ % 8);
  }
  void skip(unsigned count) { at_ += count; }
  std::uint64_t take(unsigned count) {
    const std::uint64_t out = peek() & ((std::uint64_t{1} << count) - 1);
    at_ += count;
    return out;
  }
  std::uint64_t ones() {
    std::uint64_t out = 0;
    for (;;) {
      const auto run = std::min(std::countr_one(peek()), 48);
      out += static_cast<unsigned>(run);
      at_ += static_cast<unsigned>(run);
      if (run < 48 || out > kQuotientMax) break;
    }
    ++at_;
    return out;
  }
  bool beyond() const { return at_ > bytes_.size() * 8; }

 private:
  View bytes_;
  std::size_t at_ = 0;
};

void put_blocks(BitWriter& bits, BlockMask mask) {
  const int count = std::popcount(mask);
  const auto lowest = [&] { return static_cast<unsigned>(std::countr_zero(mask)); };
  if (count == 1) {
    bits.put(1, 1);
    bits.put(lowest(), kBlockBits);
  } else if (count == 2) {
    bits.put(2, 2);
    bits.put(lowest(), kBlockBits);
    mask &= mask - 1;
    bits.put(lowest(), kBlockBits);
  } else {
    bits.put(0, 2);
  }
}

BlockMask take_blocks(BitReader& bits, std::size_t blocks) {
  const std::uint64_t form = bits.peek() & 3U;
  if ((form & 1U) != 0) {
    bits.skip(1);
    return BlockMask{1} << bits.take(kBlockBits);
  }
  bits.skip(2);
  if (form == 0) return static_cast<BlockMask>(bits.take(static_cast<unsigned>(blocks)));
  const BlockMask one = BlockMask{1} << bits.take(kBlockBits);
  return one | BlockMask{1} << bits.take(kBlockBits);
}

}  // namespace

FilterBuilder::FilterBuilder() : seen_(kSlots, 0) {}

void FilterBuilder::add(std::uint64_t term) {
  if (term == 0) term = 1;
  std::size_t at = term & (seen_.size() - 1);
  while (seen_[at] != 0) {
    if (seen_[at] == term) return;
    at = (at + 1) & (seen_.size() - 1);
  }
  seen_[at] = term;
  entries_.push_back({term, block_});
  if (++seen_count_ * 2 > seen_.size()) grow();
}

void FilterBuilder::grow() {
  std::vector<std::uint64_t> old(seen_.size() * 2, 0);
  old.swap(seen_);
  for (const std::uint64_t term : old) {
    if (term == 0) continue;
    std::size_t at = term & (seen_.size() - 1);
    while (seen_[at] != 0) at = (at + 1) & (seen_.size() - 1);
    seen_[at] = term;
  }
}

void FilterBuilder::end_block() {
  std::ranges::fill(seen_, 0);
  seen_count_ = 0;
  ++block_;
}

std::vector<Bytes> FilterBuilder::take_pages() {
  const std::size_t pages = (entries_.size() + kPageEntries - 1) / kPageEntries;
  std::vector<std::vector<Entry>> by_page(pages);
  for (auto& page : by_page) page.reserve(kPageEntries + kPageEntries / 4);
  for (const Entry& entry : entries_) by_page[page_of(entry.term, pages)].push_back(entry);
  std::vector<Bytes> out(pages);
  std::vector<std::pair<std::uint64_t, BlockMask>> values;
  for (std::size_t page = 0; page < pages; ++page) {
    const std::uint64_t scale = by_page[page].size();
    values.clear();
    for (const Entry& entry : by_page[page])
      values.emplace_back(value_on_page(entry.term, pages, scale), BlockMask{1} << entry.block);
    std::ranges::sort(values);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (kept > 0 && values[kept - 1].first == values[i].first) {
        values[kept - 1].second |= values[i].second;
      } else {
        values[kept++] = values[i];
      }
    }
    values.resize(kept);
    put_varint(out[page], scale);
    put_varint(out[page], kept);
    BitWriter bits(out[page]);
    std::uint64_t before = UINT64_MAX;
    for (const auto& [value, mask] : values) {
      const std::uint64_t gap = value - before - 1;
      std::uint64_t quotient = gap >> kRemainderBits;
      for (; quotient >= 32; quotient -= 32) bits.put(0xFFFFFFFFU, 32);
      bits.put((std::uint64_t{1} << quotient) - 1, static_cast<unsigned>(quotient) + 1);
      bits.put(gap & ((1U << kRemainderBits) - 1), kRemainderBits);
      put_blocks(bits, mask);
      if (std::popcount(mask) > 2) bits.put(mask, static_cast<unsigned>(block_));
      before = value;
    }
    bits.end();
  }
  entries_.clear();
  block_ = 0;
  return out;
}

std::size_t page_of(std::uint64_t term, std::size_t pages) {
  return static_cast<std::size_t>(high(term == 0 ? 1 : term, pages));
}

Result<BlockMask> look_up(View page, std::uint64_t term, std::size_t pages, std::size_t blocks) {
  if (term == 0) term = 1;
  ByteReader in(page);
  const std::uint64_t scale = TRY(in.varint());
  const std::uint64_t entries = TRY(in.varint());
  if (scale > UINT32_MAX || entries > scale || blocks == 0 || blocks > kGroupBlocksMax)
    return fail(Code::corrupt, "a filter has impossible numbers");
  const std::uint64_t wanted = value_on_page(term, pages, scale);
  BitReader bits(page.subspan(in.position()));
  std::uint64_t value = UINT64_MAX;
  for (std::uint64_t i = 0; i < entries; ++i) {
    const std::uint64_t quotient = bits.ones();
    value += 1 + (quotient << kRemainderBits | bits.take(kRemainderBits));
    const BlockMask mask = take_blocks(bits, blocks);
    if (bits.beyond()) return fail(Code::corrupt, "a filter ends early");
    if (value >= wanted) return value == wanted ? mask : 0;
  }
  return BlockMask{0};
}

}  // namespace holdfast::events
