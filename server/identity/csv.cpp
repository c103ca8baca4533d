#include "server/identity/csv.hpp"

namespace holdfast::identity {
namespace {

class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }
  bool done() const { return at_ >= text_.size(); }

  CsvRow row() {
    CsvRow out;
    out.line = line_;
    for (;;) {
      std::string field;
      const bool more = read_field(field, out.error);
      if (out.fields.size() == kCsvFieldsMax) {
        out.error = "more than 32 fields";
      } else {
        out.fields.push_back(std::move(field));
      }
      if (!more) return out;
    }
  }

 private:
  // Answers whether another field of this row follows.
  bool read_field(std::string& field, std::string& error) {
    if (!done() && text_[at_] == '"') read_quoted(field, error);
    while (!done()) {
      const char c = text_[at_++];
      if (c == ',') return true;
      if (c == '\n') {
        ++line_;
        return false;
      }
      if (c == '\r' && (done() || text_[at_] == '\n')) continue;
      add(field, c, error);
    }
    return false;
  }
  void read_quoted(std::string& field, std::string& error) {
    for (++at_; !done(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') ++line_;
      if (c == '"') {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') {
          ++at_;
          return;
        }
        ++at_;
      }
      add(field, c, error);
    }
    error = "a quoted field does not end";
  }
  static void add(std::string& field, char c, std::string& error) {
    if (field.size() == kCsvFieldBytesMax) {
      error = "a field is above 1024 bytes";
    } else {
      field += c;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text, std::size_t rows_max) {
  std::vector<CsvRow> out;
  CsvReader reader(text);
  while (!reader.done()) {
    CsvRow row = reader.row();
    if (row.error.empty() && row.fields.size() == 1 && row.fields[0].empty()) continue;
    if (out.size() == rows_max) {
      out.push_back({row.line, {}, "more than " + std::to_string(rows_max) + " rows"});
      return out;
    }
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace holdfast::identity
