// Lexer and parser: one pass over the text, by recursive descent, at most kDepthMax deep.
//   either := both ("OR" both)*      both := not (["AND"] not)*      not := ("NOT" | "-") not |
//   unit unit   := "(" either ")" | [field op] value
#include <charconv>
#include <cmath>

#include "libs/query/words.hpp"

namespace holdfast::query {
namespace {

bool space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool field_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool field_char(char c) {
  return field_start(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '/';
}

struct Value {
  std::string text;
  bool quoted = false, open_start = false, open_end = false;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Node> all() {
    if (text_.size() > kQueryBytesMax)
      return fail(Code::invalid_argument,
                  "the query is longer than 4096 bytes: ask for less at once");
    skip();
    if (at_ == text_.size()) return Node{};
    Node out = TRY(either_of(0));
    if (at_ < text_.size())
      return wrong(at_, "a ')' closes nothing: remove it, or put \"...\" around it");
    return out;
  }

 private:
  std::unexpected<Error> wrong(std::size_t at, const std::string& what) const {
    std::size_t character = 1;
    for (std::size_t i = 0; i < at; ++i)
      character += (static_cast<unsigned char>(text_[i]) & 0xC0U) != 0x80U;
    return fail(Code::invalid_argument,
                "query, character " + std::to_string(character) + ": " + what);
  }
  void skip() {
    while (at_ < text_.size() && space(text_[at_])) ++at_;
  }
  bool at_end() const { return at_ == text_.size() || text_[at_] == ')'; }
  bool peek(std::string_view keyword) const {
    if (!text_.substr(at_).starts_with(keyword)) return false;
    const std::size_t end = at_ + keyword.size();
    return end == text_.size() || space(text_[end]) || text_[end] == '(' || text_[end] == ')';
  }
  bool take(std::string_view keyword) {
    if (!peek(keyword)) return false;
    at_ += keyword.size();
    skip();
    return true;
  }

  Result<Node> either_of(std::size_t depth) {
    std::vector<Node> of;
    do {
      of.push_back(TRY(both_of(depth)));
    } while (take("OR"));
    return either(std::move(of));
  }

  Result<Node> both_of(std::size_t depth) {
    if (at_end() || peek("OR") || peek("AND"))
      return wrong(at_, "something to look for is missing here: a word, field:value or (...)");
    Node out;
    out.kind = Node::Kind::both;
    do {
      out.of.push_back(TRY(negated(depth)));
      if (take("AND") && (at_end() || peek("OR")))
        return wrong(at_, "something to look for is missing after AND");
    } while (!at_end() && !peek("OR"));
    return out.of.size() == 1 ? Node(out.of[0]) : out;
  }

  Result<Node> negated(std::size_t depth) {
    if (depth >= kDepthMax) return wrong(at_, "parentheses and NOTs are nested more than 32 deep");
    const bool minus = at_ + 1 < text_.size() && text_[at_] == '-' && !space(text_[at_ + 1]);
    if (minus) ++at_;
    if (!minus && !take("NOT")) return unit(depth);
    if (at_end()) return wrong(at_, "something to look for is missing after NOT");
    Node out;
    out.kind = Node::Kind::negated;
    out.of.push_back(TRY(negated(depth + 1)));
    return out;
  }

  Result<Node> unit(std::size_t depth) {
    if (text_[at_] != '(') return leaf();
    const std::size_t open = at_++;
    skip();
    Node out = TRY(either_of(depth + 1));
    if (at_ == text_.size()) return wrong(open, "this '(' is never closed: add ')'");
    ++at_;
    skip();
    return out;
  }

  // An address, or hexadecimal pairs with colons: its colons name no field.
  bool is_address(std::size_t end) const {
    std::string_view run = text_.substr(at_, end - at_);
    if (parse_net(run) || parse_address(run)) return true;
    return run.size() >= 8 && run.size() % 3 == 2 &&
           run.find_first_not_of("0123456789abcdefABCDEF:") == std::string_view::npos && [&] {
             for (std::size_t i = 0; i < run.size(); ++i)
               if ((run[i] == ':') != (i % 3 == 2)) return false;
             return true;
           }();
  }

  Result<Value> quoted() {
    Value out;
    out.quoted = true;
    const std::size_t open = at_++;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      out.text += text_[at_++];
    }
    if (at_ == text_.size())
      return wrong(open,
                   "this '\"' is never closed: add another, or write \\\" for the sign itself");
    ++at_;
    return out;
  }

  Result<Value> value() {
    if (at_end() || space(text_[at_])) return wrong(at_, "a value is missing here");
    Value out;
    const std::size_t start = at_;
    bool star = false;
    if (text_[at_] == '*') star = ++at_ != 0;
    if (at_ < text_.size() && text_[at_] == '"') {
      out = TRY(quoted());
      if (at_ < text_.size() && text_[at_] == '*') out.open_end = ++at_ != 0;
      if (at_ < text_.size() && !space(text_[at_]) && text_[at_] != ')')
        return wrong(at_, "a space is missing after the '\"'");
    } else {
      while (at_ < text_.size() && !space(text_[at_]) && text_[at_] != '(' && text_[at_] != ')' &&
             text_[at_] != '"')
        out.text += text_[at_++];
      if (out.text.ends_with('*')) {
        out.open_end = true;
        out.text.pop_back();
      }
      const std::size_t inner = out.text.find('*');
      if (inner != std::string::npos)
        return wrong(
            start + inner + (star ? 1 : 0),
            "a '*' stands only at the beginning or end; put \"...\" around one to look for");
      if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '('))
        return wrong(at_, std::string("a space is missing before the '") + text_[at_] + "'");
    }
    out.open_start = star;
    if (out.text.empty() && !star && !out.open_end)
      return wrong(start, "an empty value finds nothing: remove it");
    return out;
  }

  std::size_t bare_end() const {
    std::size_t end = at_;
    while (end < text_.size() && !space(text_[end]) && text_[end] != '(' && text_[end] != ')')
      ++end;
    return end;
  }

  // Where the operator of `field op` is, if a field stands here.
  std::optional<std::size_t> field_end(std::string& field) {
    std::size_t end = at_;
    if (text_[at_] == '"') {
      const std::size_t start = at_;
      auto name = quoted();
      end = std::exchange(at_, start);
      if (!name) return std::nullopt;
      field = std::move(name->text);
    } else if (field_start(text_[at_]) && !is_address(bare_end())) {
      while (end < text_.size() && field_char(text_[end])) ++end;
      field = std::string(text_.substr(at_, end - at_));
    }
    const bool op =
        end > at_ && end < text_.size() && std::string_view(":=<>!").contains(text_[end]);
    if (!op || (text_[end] == '!' && !text_.substr(end).starts_with("!="))) return std::nullopt;
    return field.empty() ? std::nullopt : std::optional(end);
  }

  Result<Node> leaf() {
    if (++terms_ > kTermsMax)
      return wrong(at_, "more than 64 things to look for: ask for less at once");
    Term term;
    bool unequal = false;
    const std::size_t start = at_;
    if (const auto op = field_end(term.field)) {
      at_ = *op;
      const char sign = text_[at_++];
      const bool with_equal = sign != ':' && at_ < text_.size() && text_[at_] == '=';
      if (with_equal) ++at_;
      unequal = sign == '!';
      term.op = sign == ':'   ? Op::has
                : sign == '<' ? (with_equal ? Op::less_equal : Op::less)
                : sign == '>' ? (with_equal ? Op::greater_equal : Op::greater)
                              : Op::equal;
    } else {
      term.field.clear();
    }
    const std::size_t value_at = at_;
    Value given = TRY(value());
    term.text = folded(given.text);
    term.open_start = given.open_start;
    term.open_end = given.open_end;
    TRY(settle(term, given, term.field.empty() ? start : value_at));
    skip();
    Node out = term_node(std::move(term));
    if (!unequal) return out;
    Node negation;
    negation.kind = Node::Kind::negated;
    negation.of.push_back(std::move(out));
    return negation;
  }

  // What the text means for its field and operator.
  Status settle(Term& term, const Value& given, std::size_t at) const {
    const bool open = term.open_start || term.open_end;
    if (term.text.empty()) {
      if (term.field.empty() || term.op != Op::has)
        return wrong(at, "a '*' alone finds everything: name a field (field:*), or remove it");
      term.exists = true;
      term.open_start = false;
      term.open_end = true;
      return {};
    }
    if (open && term.op != Op::has) return wrong(at, "'*' goes with ':' only");
    const Builtin builtin = builtin_of(term.field);
    if (builtin == Builtin::severity) return settle_severity(term, at);
    if (builtin == Builtin::time || builtin == Builtin::received)
      return settle_time(term, given.text, at);
    if (builtin == Builtin::device) return settle_device(term, given.text, at);
    if (open) return {};
    if (!given.quoted || term.op != Op::has) term.net = parse_net(term.text);
    const char* const end = term.text.data() + term.text.size();
    std::int64_t integer = 0;
    if (const auto [stop, error] = std::from_chars(term.text.data(), end, integer);
        error == std::errc() && stop == end)
      term.integer = integer;
    double number = 0;
    if (const auto [stop, error] = std::from_chars(term.text.data(), end, number);
        error == std::errc() && stop == end && std::isfinite(number))
      term.number = number;
    if (term.op != Op::has && term.op != Op::equal && !term.number)
      return wrong(at, "a comparison needs a number, as in " + term.field + ">=10");
    return {};
  }
  Status settle_severity(Term& term, std::size_t at) const {
    for (std::size_t i = 0; i < kSeverities.size(); ++i)
      if (kSeverities[i] == term.text && !term.open_start && !term.open_end)
        term.severity = static_cast<int>(i);
    if (term.severity) return {};
    return wrong(at, "a severity is one of debug, info, notice, warning, error, critical");
  }
  Status settle_time(Term& term, const std::string& given, std::size_t at) const {
    auto time = from_rfc3339(given.size() == 10 ? given + "T00:00:00Z" : given);
    if (!time || term.op == Op::has || term.open_start || term.open_end)
      return wrong(at, "a time is compared, as in time>=2026-11-24 or time<2026-11-24T12:00:00Z");
    term.time = time->us;
    term.text = folded(to_rfc3339(*time));
    return {};
  }
  Status settle_device(Term& term, const std::string& given, std::size_t at) const {
    const auto id = DeviceId::parse(given);
    if ((term.op != Op::has && term.op != Op::equal) || (!id && term.text != "server") ||
        term.open_start || term.open_end)
      return wrong(at,
                   "a device is given by its id, as in device:dev_01J9Z3K5M7..., or device:server");
    term.device = id ? id->ulid : Ulid{};
    term.op = Op::equal;
    term.text = id ? folded(id->text()) : "server";
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t terms_ = 0;
};

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

// Whether the text, written bare, would be read as this value.
bool bare(const Term& term) {
  if (term.text.find_first_of(" \t\n\r()\"*") != std::string::npos) return false;
  if (!term.net && term.op == Op::has && parse_net(term.text)) return false;
  if (!term.field.empty()) return !term.text.starts_with('=');
  if (term.text.starts_with('-') || term.text == "OR" || term.text == "AND" || term.text == "NOT")
    return false;
  if (term.net) return true;
  std::size_t end = 0;
  if (field_start(term.text[0]))
    while (end < term.text.size() && field_char(term.text[end])) ++end;
  return end == 0 || end == term.text.size() || !std::string_view(":=<>!").contains(term.text[end]);
}

}  // namespace

Result<Node> parse(std::string_view text) {
  return Parser(text).all();
}

std::string to_text(const Term& term) {
  static constexpr std::array<std::string_view, 6> kOps{":", "=", "<", "<=", ">", ">="};
  std::string out;
  if (!term.field.empty()) {
    // Letters that are hexadecimal digits might be read as the beginning of an address.
    bool plain = field_start(term.field[0]) &&
                 term.field.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos;
    for (const char c : term.field) plain = plain && field_char(c);
    out = (plain ? term.field : quote(term.field)) +
          std::string(kOps[static_cast<std::size_t>(term.op)]);
  }
  if (term.exists) return out + "*";
  if (term.time) return out + to_rfc3339({*term.time});
  return out + (term.open_start ? "*" : "") + (bare(term) ? term.text : quote(term.text)) +
         (term.open_end ? "*" : "");
}

std::string to_text(const Node& node) {
  switch (node.kind) {
    case Node::Kind::all:
      return "";
    case Node::Kind::term:
      return to_text(node.term);
    case Node::Kind::negated: {
      const bool group =
          node.of[0].kind == Node::Kind::both || node.of[0].kind == Node::Kind::either;
      return group ? "NOT (" + to_text(node.of[0]) + ")" : "NOT " + to_text(node.of[0]);
    }
    default:
      break;
  }
  std::string out;
  for (const Node& part : node.of) {
    if (!out.empty()) out += node.kind == Node::Kind::either ? " OR " : " ";
    // A group inside of a group keeps its own parentheses.
    const bool group = part.kind == Node::Kind::either || part.kind == Node::Kind::both;
    out += group ? "(" + to_text(part) + ")" : to_text(part);
  }
  return out;
}

Node term_node(Term term) {
  Node out;
  out.kind = Node::Kind::term;
  out.term = std::move(term);
  return out;
}

Node both(Node a, Node b) {
  if (a.kind == Node::Kind::all) return b;
  if (b.kind == Node::Kind::all) return a;
  Node out;
  out.kind = Node::Kind::both;
  out.of = {std::move(a), std::move(b)};
  return out;
}

Node either(std::vector<Node> of) {
  if (of.size() == 1) return Node(std::move(of[0]));
  Node out;
  out.kind = of.empty() ? Node::Kind::all : Node::Kind::either;
  out.of = std::move(of);
  return out;
}

Builtin builtin_of(std::string_view field) {
  if (field == "time") return Builtin::time;
  if (field == "received") return Builtin::received;
  if (field == "device") return Builtin::device;
  if (field == "kind") return Builtin::kind;
  if (field == "severity") return Builtin::severity;
  return field == "message" ? Builtin::message : Builtin::none;
}

std::string_view own_field(std::string_view field) {
  return field.starts_with("field.") ? field.substr(6) : field;
}

}  // namespace holdfast::query
