// Weights with PyTorch's names become weight files, or one message about everything that does not fit.
#include "tools/import_weights.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "engine/error.h"
#include "engine/io/torch_layout.h"
#include "tests/scratch_folder.h"
#include "tests/tools/command_line.h"
#include "tests/tools/same_state.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

namespace fs = std::filesystem;

std::unique_ptr<Model> small_network(int classes) {
  ModelOptions options;
  options.classes = classes;
  options.depth = 10;
  options.width = 1;
  return make_model("wrn", options, Key(3));
}

/// The network as PyTorch's DataParallel saves it, without the counts that old versions do not have.
Safetensors torch_file(const Model& model) {
  Safetensors file = to_torch_layout(model.state());
  for (auto& [name, tensor] : file.tensors) name = "state_dict.module." + name;
  std::erase_if(file.tensors, [](const auto& item) { return item.first.ends_with("num_batches_tracked"); });
  return file;
}

ImportOptions small_import(const ScratchFolder& folder) {
  ImportOptions options;
  options.file = folder / "torch.safetensors";
  options.out = folder / "out.safetensors";
  options.model = "wrn";
  options.settings = {"model.depth=10", "model.width=1"};
  return options;
}

/// The message of an import that fails and writes nothing.
std::string refusal(const ImportOptions& options) {
  try {
    import_weights(options);
  } catch (const Error& error) {
    CHECK(!fs::exists(options.out));
    return error.what();
  }
  return "no error";
}

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("import: names, classes, counts and the card") {
  const ScratchFolder folder;
  const auto source = small_network(7);
  write_safetensors(folder / "torch.safetensors", torch_file(*source));
  ImportOptions options = small_import(folder);
  options.normalization = "cifar10";
  options.size = 48;
  options.data = "shapes";
  options.class_names = folder.write("names.txt", "a\nb b\r\nc\nd\ne\nf\ng\n\n");
  const ModelCard card = import_weights(options);
  CHECK(card.options.classes == 7);
  const LoadedRun run = load_run(options.out);
  CHECK(same_bits(run.model->state(), source->state()));  // the counts of a fresh network are 0, too
  CHECK(run.card.architecture == "wrn");
  CHECK(run.card.options.depth == 10);
  CHECK(run.card.class_names == std::vector<std::string>{"a", "b b", "c", "d", "e", "f", "g"});
  CHECK(run.card.sample_shape == std::vector<std::int64_t>{48, 48, 3});
  CHECK(run.card.normalization == "cifar10");
  CHECK(run.card.data == "shapes");
}

TEST_CASE("import: half precision widens exactly") {
  const ScratchFolder folder;
  const auto source = small_network(2);
  Safetensors file = torch_file(*source);
  for (auto& [name, tensor] : file.tensors) tensor = tensor.to(Dtype::bf16);
  write_safetensors(folder / "torch.safetensors", file);
  import_weights(small_import(folder));
  const auto loaded = load_run(folder / "out.safetensors").model->parameters();
  const auto before = source->parameters();
  for (std::size_t i = 0; i < before.size(); ++i)
    CHECK(loaded[i].second.to_vector<float>() ==
          before[i].second.to(Dtype::bf16).to(Dtype::f32).to_vector<float>());
}

TEST_CASE("import: everything that does not fit stands in one message, and nothing is written") {
  const ScratchFolder folder;
  Safetensors file = torch_file(*small_network(7));
  const auto rename = [&](const std::string& name, const std::string& other) {
    for (auto& item : file.tensors)
      if (item.first == "state_dict.module." + name) item.first = "state_dict.module." + other;
  };
  rename("layer1.0.conv1.weight", "layer1.0.conv9.weight");
  for (auto& [name, tensor] : file.tensors) {
    if (name.ends_with("layer2.0.conv1.weight")) tensor = Tensor::zeros({32, 8, 3, 3});
    if (name.ends_with("layer3.0.bn1.bias")) tensor = Tensor::zeros(tensor.shape(), Dtype::i32);
    if (name.ends_with("layer3.0.bn2.bias")) tensor = Tensor::full(tensor.shape(), 1.0 / 0.0);
  }
  for (int i = 0; i < 14; ++i)
    file.tensors.emplace_back("state_dict.module.extra" + std::to_string(i) + "\n", Tensor::zeros({2}));
  write_safetensors(folder / "torch.safetensors", file);
  const std::string text = refusal(small_import(folder));
  CHECK(text.starts_with("[import] wrn with 7 classes: "));
  CHECK(text.find("torch.safetensors: does not fit the network:") != std::string::npos);
  CHECK(text.find("\n  missing: layer1.0.conv1.weight [16, 16, 3, 3]") != std::string::npos);
  CHECK(text.find("\n  unexpected: layer1.0.conv9.weight [16, 16, 3, 3]") != std::string::npos);
  CHECK(text.find("\n  wrong shape: layer2.0.conv1.weight is [32, 8, 3, 3], expected [32, 16, 3, 3]") !=
        std::string::npos);
  CHECK(text.find("\n  wrong type: layer3.0.bn1.bias is i32, expected f32") != std::string::npos);
  CHECK(text.find("\n  not finite: layer3.0.bn2.bias [64]") != std::string::npos);
  CHECK(count(text, "unexpected: ") == 10 + 1);  // fifteen: ten spelled out, then their number
  CHECK(text.find("\n  unexpected: and 5 more") != std::string::npos);
  CHECK(text.find("extra0?") != std::string::npos);
}

TEST_CASE("import: files of torch.save are refused with the way to convert them") {
  const ScratchFolder folder;
  ImportOptions options = small_import(folder);
  for (const std::string& start : {std::string("PK\x03\x04more"), std::string("\x80\x02}q")}) {
    options.file = folder.write("it's.pth", start);
    const std::string text = refusal(options);
    CHECK(text.find("as torch.save writes") != std::string::npos);
    CHECK(text.find("torch.load('") != std::string::npos);
    CHECK(text.find("it\\'s.pth'") != std::string::npos);
    CHECK(text.find("save_file({") != std::string::npos);
    CHECK(text.find("it\\'s.safetensors')") != std::string::npos);
  }
  options.file = folder.write("short.pth", "P");
  CHECK(refusal(options).find("too few for a safetensors file") != std::string::npos);
}

TEST_CASE("import: options that do not fit") {
  const ScratchFolder folder;
  write_safetensors(folder / "torch.safetensors", torch_file(*small_network(7)));
  ImportOptions options = small_import(folder);
  options.classes = 10;
  CHECK(refusal(options).find("wrong shape: linear.weight is [7, 64], expected [10, 64]") !=
        std::string::npos);
  options = small_import(folder);
  options.class_names = folder.write("names.txt", "a\nb\n");
  CHECK(refusal(options).find("2 class names, but the network has 7 classes") != std::string::npos);
  options = small_import(folder);
  options.normalization = "mean";
  CHECK(refusal(options).find("normalization") != std::string::npos);
  options = small_import(folder);
  options.model = "wrn28-3";
  CHECK(refusal(options).find("did you mean") != std::string::npos);
  options = small_import(folder);
  options.settings = {"train.epochs=3"};
  CHECK(refusal(options).find("takes options of the network") != std::string::npos);
  options = small_import(folder);
  options.settings = {"model.widht=3"};
  CHECK(refusal(options).find("did you mean model.width?") != std::string::npos);
  options = small_import(folder);
  options.model = "toy-nfm";
  options.settings = {};
  CHECK(refusal(options).find("give --classes") != std::string::npos);
  options = small_import(folder);
  options.out = folder.write("old.safetensors", "precious");
  CHECK_THROWS_WITH_AS(import_weights(options), doctest::Contains("there is such a file already"),
                       ConfigError);
}

TEST_CASE("import: from the command line to an evaluation") {
  const ScratchFolder folder;
  const std::string file = (folder / "torch.safetensors").string(),
                    out = (folder / "out.safetensors").string();
  write_safetensors(file, torch_file(*small_network(10)));
  const std::vector<std::string> words = {"import", file,    "--model",        "wrn",   "--out",
                                          out,      "--set", "model.depth=10", "--set", "model.width=1"};
  const Outcome import = run_program(words);
  REQUIRE_MESSAGE(import.code == kExitSuccess, import.err);
  CHECK(import.out == out + ": wrn, 10 classes, samples [32, 32, 3], normalization half\n");
  CHECK(run_program(words).code == kExitUsage);  // the file is there now
  CHECK(run_program({"evaluate", out, "--limit", "4"}).err.find("name one with --dataset") !=
        std::string::npos);
  const Outcome evaluation = run_program({"evaluate", out, "--dataset", "shapes", "--limit", "4"});
  CHECK_MESSAGE(evaluation.code == kExitSuccess, evaluation.err);
}
