# SPDX-License-Identifier: Apache-2.0
# cmake -DPROGRAM=recfleet -DOUT=folder -P pages.cmake: what the program says about itself as files to
# install: man1/recfleet.1, man1/recfleet-COMMAND.1 for every command, and the completion of shells,
# bash/recfleet and zsh/_recfleet.
function(say file)
  execute_process(COMMAND ${PROGRAM} ${ARGN} OUTPUT_FILE ${OUT}/${file} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${PROGRAM} ${ARGN}: ended with ${status}")
  endif()
endfunction()

execute_process(COMMAND ${PROGRAM} help OUTPUT_VARIABLE overview RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} help: ended with ${status}")
endif()
string(REGEX MATCHALL "\n  [a-z]+ " commands "${overview}")

# A page of a command that is no more must not stay.
file(REMOVE_RECURSE ${OUT})
file(MAKE_DIRECTORY ${OUT}/man1 ${OUT}/bash ${OUT}/zsh)
say(man1/recfleet.1 help --man)
foreach(command IN LISTS commands)
  string(STRIP "${command}" command)
  say(man1/recfleet-${command}.1 help --man ${command})
endforeach()
say(bash/recfleet help --completion bash)
say(zsh/_recfleet help --completion zsh)
