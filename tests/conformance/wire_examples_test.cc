// Every example of docs/formats/wire.md: our decoder must read its bytes as its fields say, and our
// encoder must write the same bytes.

#include <array>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>

#include "tests/conformance/describe.h"
#include "tests/conformance/frame_types.h"

namespace sluice::wire {
namespace {

using Bytes = std::vector<std::byte>;

struct Example {
  std::string name;
  std::string fields;     // the lines that a description has as well
  bool of_newer = false;  // it has an extension that our encoder does not write
  Bytes bytes;
  friend void PrintTo(const Example& example, std::ostream* out) { *out << example.name; }
};

bool starts(const std::string& line, std::string_view prefix) { return line.starts_with(prefix); }

void add_hex(Bytes& bytes, const std::string& line) {
  std::istringstream digits(line.substr(0, line.find('|')));
  for (unsigned value = 0; digits >> std::hex >> value;) {
    bytes.push_back(static_cast<std::byte>(value));
  }
}

std::vector<Example> read_examples() {
  std::ifstream document(SLUICE_WIRE_DOCUMENT);
  constexpr std::string_view kOpening = "```wire-example name=";
  std::vector<Example> examples;
  enum { kOutside, kFields, kBytes } part = kOutside;
  for (std::string line; std::getline(document, line);) {
    if (starts(line, kOpening)) {
      examples.push_back({.name = line.substr(kOpening.size()), .fields = {}, .bytes = {}});
      part = kFields;
    } else if (line == "```") {
      part = kOutside;
    } else if (part == kFields && line == "--") {
      part = kBytes;
    } else if (part == kFields && starts(line, "unknown_")) {
      examples.back().of_newer = true;
    } else if (part == kFields && !starts(line, "batch.compressed = ")) {
      examples.back().fields += line + "\n";
    } else if (part == kBytes) {
      add_hex(examples.back().bytes, line);
    }
  }
  return examples;
}

class WireExample : public testing::TestWithParam<Example> {};

/// The example decoded and described; and encoded again, into `again`.
std::string round_trip(const Bytes& bytes, Bytes& again) {
  const auto header = read_header(bytes, kMinMaxFrame);
  if (!header || !*header) return "no header";
  const FrameHeader& found = **header;
  const ByteView body = ByteView(bytes).subspan(kFrameHeaderBytes);
  if (body.size() != found.body_bytes) return "body bytes differ";
  Description out;
  out.add("kind", frame_name(found.kind)).add("flags", found.flags);
  out.add("correlation", found.correlation);
  return with_frame_type(found.kind, [&]<typename T>() {
    const auto frame = decode<T>(found, body);
    if (!frame) return frame.error().message();
    describe(out, *frame);
    encode(again, *frame, found.correlation,
           static_cast<std::uint8_t>(found.flags & ~kFlagExtension));
    if constexpr (requires { frame->batch; }) {
      again.insert(again.end(), frame->batch.begin(), frame->batch.end());
    }
    return out.text();
  });
}

TEST_P(WireExample, IsReadAndWrittenAsTheDocumentSays) {
  const Example& example = GetParam();
  if (example.fields.starts_with("kind = \"batch\"")) {
    Description out;
    out.line("kind", "\"batch\"");
    describe_batch(out, example.bytes);
    EXPECT_EQ(example.fields, out.text());
    return;
  }
  Bytes again;
  EXPECT_EQ(example.fields, round_trip(example.bytes, again));
  if (!example.of_newer) {
    EXPECT_EQ(hex(example.bytes), hex(again));
  }
}

INSTANTIATE_TEST_SUITE_P(Document, WireExample, testing::ValuesIn(read_examples()),
                         [](const auto& tested) {
                           std::string name = tested.param.name;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

TEST(WireDocument, HasAnExampleOfEveryKind) {
  std::set<int> kinds;
  for (const Example& example : read_examples()) {
    ASSERT_GE(example.bytes.size(), kFrameHeaderBytes) << example.name;
    if (!example.fields.starts_with("kind = \"batch\"")) {
      kinds.insert(std::to_integer<int>(example.bytes[4]));
    }
  }
  EXPECT_EQ(27U, kinds.size());
}

}  // namespace
}  // namespace sluice::wire
