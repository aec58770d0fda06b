#include "engine/io/atomic_file.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "engine/error.h"
#include "tests/scratch_folder.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("a committed file has the whole content and nothing else is left") {
  const ScratchFolder folder;
  write_file_atomically(folder / "a", "first");
  write_file_atomically(folder / "a", std::string("sec\0ond", 7));
  CHECK(content(folder / "a") == std::string("sec\0ond", 7));
  CHECK(folder.names() == std::vector<std::string>{"a"});
}

TEST_CASE("pieces are joined; the old file stays until commit") {
  const ScratchFolder folder;
  write_file_atomically(folder / "a", "old");
  AtomicFile file(folder / "a");
  file.write("new ");
  file.write("content");
  CHECK(content(folder / "a") == "old");
  CHECK(folder.names().size() == 2);
  file.commit();
  CHECK(content(folder / "a") == "new content");
  CHECK(folder.names() == std::vector<std::string>{"a"});
}

TEST_CASE("without commit nothing changes and the temporary file is removed") {
  const ScratchFolder folder;
  {
    AtomicFile file(folder / "a");
    file.write("abandoned");
  }
  CHECK(folder.names().empty());
}

TEST_CASE("the file's permissions follow the user's mask, as those of any new file") {
  const ScratchFolder folder;
  std::ofstream(folder / "plain") << "x";
  write_file_atomically(folder / "atomic", "x");
  CHECK(std::filesystem::status(folder / "atomic").permissions() ==
        std::filesystem::status(folder / "plain").permissions());
}

TEST_CASE("concurrent writers of one path leave one of their contents") {
  const ScratchFolder folder;
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i)
    writers.emplace_back([&, i] {
      for (int k = 0; k < 10; ++k)
        write_file_atomically(folder / "a", std::string(10'000, static_cast<char>('a' + i)));
    });
  for (auto& writer : writers) writer.join();
  const std::string text = content(folder / "a");
  CHECK(text == std::string(10'000, text.at(0)));
  CHECK(folder.names() == std::vector<std::string>{"a"});
}

TEST_CASE("errors name the file and the reason, and leave nothing behind") {
  const ScratchFolder folder;
  const std::string missing = (folder / "no" / "a").string(), sub = (folder / "sub").string();
  CHECK_THROWS_WITH_AS(write_file_atomically(missing, "x"),
                       (missing + ": cannot write this file: No such file or directory").c_str(), DataError);
  std::filesystem::create_directory(sub);
  CHECK_THROWS_WITH_AS(write_file_atomically(sub, "x"),
                       (sub + ": cannot replace this file: Is a directory").c_str(), DataError);
  CHECK_THROWS_WITH_AS(write_file_atomically(sub + "/", "x"),
                       (sub + "/: cannot write this file: Is a directory").c_str(), DataError);
  CHECK(folder.names() == std::vector<std::string>{"sub"});
}
