# noisymix_embed_configs(TARGET): compiles tools/configs/*.toml into TARGET as the table behind ready_configs(), so that an
# installed program finds them anywhere. A glob, because a new configuration should need nothing but its file.
function(noisymix_embed_configs target)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/configs/*.toml)
  list(SORT files)
  set(rows "")
  foreach(file ${files})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    get_filename_component(name ${file} NAME_WE)
    file(READ ${file} text)
    string(APPEND rows "      {\"${name}\", R\"toml(${text})toml\"},\n")
  endforeach()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/ready_configs_table.cpp)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT
"// Made by tools/cmake/EmbedConfigs.cmake from tools/configs/*.toml.
#include \"tools/ready_configs.h\"

namespace noisymix {

const std::vector<ReadyConfig>& ready_configs() {
  static const std::vector<ReadyConfig> configs = {
${rows}  };
  return configs;
}

}  // namespace noisymix
")
  target_sources(${target} PRIVATE ${source})
endfunction()
