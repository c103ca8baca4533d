// Any bytes as a column, as times, as a directory, as a file's ends, and as a reading.
#include "server/store/series/file.hpp"
#include "server/store/series/ints.hpp"

namespace {

class Quiet final : public holdfast::series::ReadingVisitor {
 public:
  void group(const holdfast::series::Group& group) override {
    static_cast<void>(holdfast::series::field_names(group.names));
  }
  void sample(const holdfast::series::Sample&,
              const std::vector<holdfast::series::Cell>& cells) override {
    for (const auto& cell : cells) static_cast<void>(holdfast::series::value_of(cell));
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::series;
  if (size < 2) return 0;
  const std::size_t rows = 1 + data[0];
  const std::size_t values = 1 + data[1] % rows;
  const holdfast::View bytes(data + 2, size - 2);
  Compressor compressor;

  if (const auto column = decode_column(bytes, rows, values)) {
    // What was read comes back from a block of our own.
    const auto again = decode_column(encode_column(*column, rows, compressor), rows, values);
    if (!again || again->kinds != column->kinds || again->rows != column->rows) __builtin_trap();
    for (std::size_t i = 0; i < column->size(); ++i) {
      if (is_number(column->kinds[i]) && again->bits[i] != column->bits[i]) __builtin_trap();
      static_cast<void>(column->value(i));
    }
  }
  if (const auto times = decode_times(bytes, rows)) {
    if (decode_times(encode_times(*times), rows) != *times) __builtin_trap();
  }
  if (const auto directory = decode_directory(bytes)) static_cast<void>(directory->memory());
  std::vector<std::int64_t> numbers(rows);
  holdfast::ByteReader in(bytes);
  static_cast<void>(take_ints(in, numbers));
  static_cast<void>(decode_file_header(bytes));
  static_cast<void>(decode_trailer(bytes));
  static_cast<void>(decode_footer(
      bytes, {0, static_cast<std::uint32_t>(bytes.size() / kUnitBytes), holdfast::crc32c(bytes)}));
  static_cast<void>(compressor.unpack(bytes, 1 << 20));
  Quiet quiet;
  static_cast<void>(visit_readings(bytes, {0}, quiet));
  return 0;
}
