// CBOR (RFC 8949): a pull reader over bytes that stay in place, and a writer of the deterministic
// encoding (section 4.2). No recursion, no allocation from a claimed length: strings and byte
// strings are views, and of arrays only the count is told. Errors: Code::payload_malformed, with
// the byte offset. Values; one owner thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/bytes.hpp"
#include "libs/base/result.hpp"

namespace holdfast::wire {

enum class CborKind : std::uint8_t {
  unsigned_integer,  // number
  negative_integer,  // -1 - number
  bytes,             // string: one definite string, or one chunk of an indefinite one
  text,              // as bytes; valid UTF-8
  array,             // number = elements, unless indefinite
  map,               // number = pairs, unless indefinite
  bytes_begin,       // indefinite string: chunks of kind bytes follow, then end
  text_begin,        //
  end,               // of an array, a map or an indefinite string, definite ones too
  tag,               // number; the tagged item follows
  boolean,           // number 0 or 1
  null,
  undefined,
  simple,    // number
  floating,  // real; half, single and double
};

struct CborItem {
  CborKind kind{};
  bool indefinite = false;
  std::uint64_t number = 0;
  double real = 0;
  View string;
  std::size_t offset = 0;  // where it starts
};

// Of an integer or a floating item; above 2^53 rounded.
double number_of(const CborItem& item);

class CborReader {
 public:
  static constexpr std::size_t kDepthMax = 16;

  explicit CborReader(View bytes) : bytes_(bytes) {}

  // The next item, in document order. Asking beyond the last is an error: see done().
  Result<CborItem> next();
  // The top-level item is complete. Bytes behind it are left() (a CBOR sequence, or an error).
  bool done() const { return started_ && depth_ == 0 && !tagged_; }
  std::size_t left() const { return bytes_.size() - at_; }
  std::size_t position() const { return at_; }
  std::size_t depth() const { return depth_; }

  // Conveniences over next(); each fails when the next item is another.
  Result<std::int64_t> integer();
  Result<double> number();      // integer or floating
  Result<std::string> text();   // joins chunks
  Result<Bytes> byte_string();  // joins chunks
  Result<bool> boolean();
  Result<CborItem> array();  // its opening; read elements until end
  Result<CborItem> map();
  Result<std::optional<CborItem>> element();  // nullopt at `end`, which is consumed
  Status skip();                              // one whole item
  Status skip_rest(const CborItem& item);     // what belongs to an item that was already taken

 private:
  struct Level {
    CborKind kind{};
    bool indefinite = false;
    std::uint64_t left = 0;  // items, not pairs
    bool odd = false;        // a map's key was read, its value was not
  };
  Result<CborItem> head();
  Result<CborItem> definite_item(CborItem item, unsigned major, unsigned info);
  Status special(CborItem& item, unsigned info);
  Result<CborItem> close_level(std::size_t offset);
  Result<CborItem> indefinite_item(CborItem item, unsigned major);
  Status admit(const CborItem& item);
  Status open(CborKind kind, bool indefinite, std::uint64_t items);
  std::unexpected<Error> wrong(std::size_t offset, std::string_view what) const;
  Result<View> whole_string(CborKind kind, Bytes& storage);

  View bytes_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  bool started_ = false;
  bool tagged_ = false;
  std::array<Level, kDepthMax> levels_{};
};

// Shortest heads and floats, definite lengths. Map keys must be written in the order of their
// encoded bytes, each once: the writer's caller knows its keys.
class CborWriter {
 public:
  CborWriter& unsigned_integer(std::uint64_t value);
  CborWriter& integer(std::int64_t value);
  CborWriter& real(double value);  // NaN is written as f97e00
  CborWriter& text(std::string_view value);
  CborWriter& bytes(View value);
  CborWriter& boolean(bool value);
  CborWriter& null();
  CborWriter& array(std::size_t elements);
  CborWriter& map(std::size_t pairs);
  CborWriter& tag(std::uint64_t number);

  const Bytes& out() const { return out_; }
  Bytes take() { return std::move(out_); }

 private:
  void head(unsigned major, std::uint64_t value);
  Bytes out_;
};

}  // namespace holdfast::wire
