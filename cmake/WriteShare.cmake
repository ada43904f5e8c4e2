# Writes what the program says of itself below SHARE: cmake -D PROGRAM=... -D SHARE=... -P this.
# The pages are those that larder(1) names.

# write(FILE ARGUMENTS...): the program's answer, at SHARE/FILE.
function(write file)
  execute_process(COMMAND "${PROGRAM}" ${ARGN} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  file(WRITE "${SHARE}/${file}" "${text}")
  set(text "${text}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE "${SHARE}/man")
write(bash-completion/completions/larder completion bash)
write(zsh/vendor-completions/_larder completion zsh)
write(fish/vendor_completions.d/larder.fish completion fish)
write(man/man5/larder.toml.5 man larder.toml)
execute_process(COMMAND "${PROGRAM}" man OUTPUT_VARIABLE page COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "BR larder[^ ]+ \\(1\\)" pages "${page}")
foreach(line IN LISTS pages)
  string(REGEX REPLACE "BR larder..([^ ]+) .*" "\\1" name "${line}")
  string(REPLACE "\\-" "-" name "${name}")
  write("man/man1/larder-${name}.1" man "${name}")
endforeach()
write(man/man1/larder.1 man)
