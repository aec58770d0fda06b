// The program noisymix.
#include "tools/cli.h"

int main(int argc, char** argv) {
  return noisymix::run_command_line(argc, argv);
}
