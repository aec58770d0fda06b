# noisymix_embed(TARGET FOLDER PREFIX HEADER TYPE FUNCTION): compiles FOLDER/*.toml into TARGET as the table of TYPE that
# FUNCTION() of HEADER returns, each under PREFIX and the file's name.
# A glob, because a new configuration should need nothing but its file.
function(noisymix_embed target folder prefix header type function)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.toml)
  list(SORT files)
  set(rows "")
  foreach(file ${files})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    get_filename_component(name ${file} NAME_WE)
    file(READ ${file} text)
    string(APPEND rows "      {\"${prefix}${name}\", R\"toml(${text})toml\"},\n")
  endforeach()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${function}_table.cpp)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT
"// Made by tools/cmake/EmbedConfigs.cmake from tools/${folder}/*.toml.
#include \"${header}\"

namespace noisymix {

const std::vector<${type}>& ${function}() {
  static const std::vector<${type}> table = {
${rows}  };
  return table;
}

}  // namespace noisymix
")
  target_sources(${target} PRIVATE ${source})
endfunction()

# noisymix_embed_configs(TARGET): the configurations and sweeps that come with the program, so that an installed program finds
# them anywhere.
function(noisymix_embed_configs target)
  noisymix_embed(${target} configs "" tools/ready_configs.h ReadyConfig ready_configs)
  noisymix_embed(${target} configs/papers papers/ tools/sweep/ready_sweeps.h ReadySweep ready_sweeps)
endfunction()
