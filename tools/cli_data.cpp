// noisymix data: what data sets hold, their pictures as files, and the views made of them.
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "data/contact_sheet.h"
#include "data/export.h"
#include "data/identify.h"
#include "data/image_codec.h"
#include "data/registry.h"
#include "engine/error.h"
#include "tools/cli.h"
#include "tools/cli_data.h"
#include "tools/ready_configs.h"
#include "tools/view_sheet.h"

namespace noisymix {
namespace {

struct Options {
  DatasetOptions data;
  std::string split = "train";
  std::filesystem::path target;
  std::string format = "png", file_name = "data_batch_1";
  int rows = 10, columns = 16, scale = 2;
};

struct ViewOptions {
  std::string config;
  std::vector<std::string> overrides;
  std::filesystem::path target;
  ViewSheetOptions sheet;
};

bool is_dataset_name(const std::string& name) {
  for (const auto& entry : list_datasets()) {
    if (entry.first == name) return true;
  }
  return false;
}

std::shared_ptr<const Dataset> open(Options& options) {
  options.data.train = options.split == "train";
  return open_dataset(options.data);
}

int list() {
  for (const auto& [name, description] : list_datasets()) {
    std::cout << name << std::string(name.size() < 10 ? 10 - name.size() : 1, ' ') << description << "\n";
  }
  return kExitSuccess;
}

// A path is looked at as it is; a name opens that data set.
int info(Options& options) {
  const bool named = is_dataset_name(options.target.string()) && !std::filesystem::exists(options.target);
  if (named) {
    options.data.name = options.target.string();
    std::cout << describe_dataset(*open(options));
  } else {
    std::cout << describe_path(options.target);
  }
  return kExitSuccess;
}

int export_set(Options& options) {
  std::cout << export_dataset(*open(options), options.target, options.format, options.file_name) << "\n";
  return kExitSuccess;
}

int sheet(Options& options) {
  write_png(options.target, make_contact_sheet(*open(options), options.rows, options.columns, options.scale));
  std::cout << options.target.string() << "\n";
  return kExitSuccess;
}

int show_views(const ViewOptions& options) {
  const ConfigSource source = find_config(options.config);
  const Config config = source.is_file ? load_config(source.name, options.overrides)
                                       : parse_config(source.name, source.text, options.overrides);
  write_png(options.target, make_view_sheet(config, options.sheet));
  std::cout << options.target.string() << "\n";
  return kExitSuccess;
}

void add_views(CLI::App& verb, Action& action) {
  const auto options = std::make_shared<ViewOptions>();
  CLI::App* views = verb.add_subcommand("views", "What a configuration trains on, as one picture");
  views->add_option("config", options->config, "TOML file, or name of a ready configuration")
      ->required()
      ->type_name("CONFIG");
  views->add_option("--out", options->target, "PNG file to write")->required()->type_name("FILE");
  views->add_option("--set", options->overrides, "override a setting, may be repeated")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  views->add_option("--images", options->sheet.images, "rows: the first training images")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  views->add_option("--epochs", options->sheet.epochs, "columns: the views of so many epochs")
      ->check(CLI::Range(1, 50))
      ->capture_default_str();
  views->add_option("--scale", options->sheet.scale, "pixels per pixel")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  views->footer(examples({"data views cifar10-noisymix --out views.png",
                          "data views demo --set views.policy=cifar --epochs 8 --out views.png"}));
  views->callback([options, &action] { action = [options] { return show_views(*options); }; });
}

void add_dataset_options(CLI::App& verb, Options& options) {
  verb.add_option("--data", options.data.path, "folder of its files")->type_name("PATH");
  verb.add_option("--split", options.split, "train or test")
      ->check(CLI::IsMember({"train", "test"}))
      ->capture_default_str()
      ->type_name("SPLIT");
  verb.add_option("--limit", options.data.limit, "first examples only; 0 is all")
      ->check(CLI::NonNegativeNumber);
  verb.add_option("--resize", options.data.transform.resize, "shorter side to resize to; 0 leaves the size")
      ->check(CLI::Range(0, 4096));
  verb.add_option("--crop", options.data.transform.crop, "side of the centre crop; 0 leaves the size")
      ->check(CLI::Range(0, 4096));
  verb.add_option("--seed", options.data.seed, "of built-in sets")->capture_default_str();
}

}  // namespace

void add_data(CLI::App& program, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* verb =
      program.add_subcommand("data", "Describe, export and show data sets, and the views made of them");
  verb->require_subcommand(1);
  verb->add_subcommand("list", "The data sets that data.name may be")->callback([&action] { action = list; });

  CLI::App* describing = verb->add_subcommand("info", "What a file, a folder or a data set holds");
  describing->add_option("path", options->target, "file or folder of any known format, or a data set's name")
      ->required()
      ->type_name("PATH");
  add_dataset_options(*describing, *options);
  describing->footer(examples({"data info downloads/data_batch_1.bin", "data info shapes"}));
  describing->callback([options, &action] { action = [options] { return info(*options); }; });

  CLI::App* exporting = verb->add_subcommand("export", "Write a data set to files");
  exporting->add_option("name", options->data.name, "data set")->required()->type_name("NAME");
  exporting->add_option("--out", options->target, "folder to write to")->required()->type_name("DIR");
  exporting->add_option("--format", options->format, "png, npy or cifar")
      ->capture_default_str()
      ->type_name("FORMAT");
  exporting->add_option("--file", options->file_name, "cifar: name of the file, without .bin")
      ->capture_default_str();
  add_dataset_options(*exporting, *options);
  exporting->footer(examples({"data export shapes --out shapes --format png --split test --limit 100"}));
  exporting->callback([options, &action] { action = [options] { return export_set(*options); }; });

  CLI::App* sheets = verb->add_subcommand("sheet", "Many examples as one picture");
  sheets->add_option("name", options->data.name, "data set")->required()->type_name("NAME");
  sheets->add_option("--out", options->target, "PNG file to write")->required()->type_name("FILE");
  sheets->add_option("--rows", options->rows)->check(CLI::Range(1, 100))->capture_default_str();
  sheets->add_option("--columns", options->columns)->check(CLI::Range(1, 100))->capture_default_str();
  sheets->add_option("--scale", options->scale, "pixels per pixel")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  add_dataset_options(*sheets, *options);
  sheets->callback([options, &action] { action = [options] { return sheet(*options); }; });

  add_views(*verb, action);
  add_data_shard(*verb, action);
  add_data_stylize(*verb, action);
}

}  // namespace noisymix
