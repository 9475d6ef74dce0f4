# SPDX-License-Identifier: Apache-2.0
# cmake -DROOT=tree [-DOUT=revision.c] -P revision.cmake: which sources a program is built from, as a
# C file, rewritten only when that has changed; without OUT it is printed. Called on every build.
#
# Checkpoints and kept answers are taken up only by the program that wrote them, so no two different
# programs may share a revision. It is, whatever of this can be known here:
#   COMMIT             git says that the sources are those of the commit
#   COMMIT-dirty-HASH  git says that they are not
#   COMMIT-HASH        no git to ask, or an archive: the commit is known, but not what was edited
#   src-HASH           nothing but the sources is there
# HASH is of the sources that make up the program. Only these decide whether a tree is dirty: an edit
# of a page or a test is no other program.
cmake_minimum_required(VERSION 3.25)

# For git and for the hash alike; in both, the * of the folders matches subfolders too.
set(top CMakeLists.txt CMakePresets.json slurm/*.sbatch scripts/cmake/*.cmake)
set(below "")
foreach(folder src models traces results cluster)
  list(APPEND below ${folder}/*.c ${folder}/*.h ${folder}/*.yaml ${folder}/*.csv
       ${folder}/*CMakeLists.txt)
endforeach()

# `git archive` writes the commit here (.gitattributes).
set(archived "$Format:%H$")

# Naming the repository keeps git from finding another one above the tree or in the environment, and
# from refusing a tree that belongs to another user. File modes are not compiled. Whoever calls this
# from a hook has variables of git's that speak of another index, or read the patterns otherwise.
foreach(name GIT_DIR GIT_WORK_TREE GIT_COMMON_DIR GIT_INDEX_FILE GIT_OBJECT_DIRECTORY
             GIT_LITERAL_PATHSPECS GIT_GLOB_PATHSPECS GIT_NOGLOB_PATHSPECS GIT_ICASE_PATHSPECS)
  unset(ENV{${name}})
endforeach()
function(git out rc)
  execute_process(COMMAND git --no-optional-locks -c core.fsmonitor=false -c core.fileMode=false
                          --git-dir=${ROOT}/.git --work-tree=${ROOT} ${ARGN}
                  WORKING_DIRECTORY ${ROOT} OUTPUT_VARIABLE said RESULT_VARIABLE status
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  set(${out} "${said}" PARENT_SCOPE)
  set(${rc} "${status}" PARENT_SCOPE)
endfunction()

function(read_line out file)
  set(text "")
  if(EXISTS "${file}")
    file(READ "${file}" text)
  endif()
  string(STRIP "${text}" text)
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# The commit as git keeps it: HEAD names a branch, which is a file or a line of packed-refs. In a
# worktree .git is a file that says where HEAD is, and "commondir" there where the branches are.
function(read_commit out)
  set(${out} "" PARENT_SCOPE)
  set(dir "${ROOT}/.git")
  if(NOT IS_DIRECTORY "${dir}")
    read_line(line "${dir}")
    string(REGEX REPLACE "^gitdir: " "" dir "${line}")
    get_filename_component(dir "${dir}" ABSOLUTE BASE_DIR "${ROOT}")
  endif()
  read_line(common "${dir}/commondir")
  get_filename_component(common "${common}" ABSOLUTE BASE_DIR "${dir}")
  read_line(commit "${dir}/HEAD")
  if(commit MATCHES "^ref: (.*)")
    set(ref "${CMAKE_MATCH_1}")
    read_line(commit "${common}/${ref}")
    if(NOT commit)
      read_line(packed "${common}/packed-refs")
      string(FIND "${packed}\n" " ${ref}\n" at)
      if(at GREATER 0)
        string(SUBSTRING "${packed}" 0 ${at} packed)
        string(REGEX MATCH "[0-9a-f]+$" commit "${packed}")
      endif()
    endif()
  endif()
  set(${out} "${commit}" PARENT_SCOPE)
endfunction()

function(hash_sources out)
  list(TRANSFORM top PREPEND "${ROOT}/")
  list(TRANSFORM below PREPEND "${ROOT}/")
  file(GLOB files RELATIVE "${ROOT}" ${top})
  file(GLOB_RECURSE more RELATIVE "${ROOT}" ${below})
  list(APPEND files ${more})
  list(SORT files)
  set(all "")
  foreach(file IN LISTS files)
    file(SHA256 "${ROOT}/${file}" hash)
    string(APPEND all "${hash} ${file}\n")
  endforeach()
  string(SHA256 all "${all}")
  set(${out} "${all}" PARENT_SCOPE)
endfunction()

set(commit "")
set(changed "unknown")
if(EXISTS "${ROOT}/.git")
  git(commit rc rev-parse --verify HEAD)
  if(rc STREQUAL "0")
    # What git ignores is compiled in all the same.
    git(changed rc status --porcelain --untracked-files=all --ignored -- ${top} ${below})
  endif()
  if(NOT rc STREQUAL "0")
    set(changed "unknown")
    read_commit(commit)
  endif()
elseif(NOT archived MATCHES "Format")
  set(commit "${archived}")
endif()

if(NOT commit MATCHES "^[0-9a-f]+$")
  set(commit "")
endif()
string(SUBSTRING "${commit}" 0 12 revision)
if(NOT revision OR NOT changed STREQUAL "")
  hash_sources(hash)
  string(SUBSTRING "${hash}" 0 12 hash)
  if(NOT revision)
    set(revision "src-${hash}")
  elseif(changed STREQUAL "unknown")
    set(revision "${revision}-${hash}")
  else()
    set(revision "${revision}-dirty-${hash}")
  endif()
endif()

if(NOT DEFINED OUT)
  message("${revision}")
  return()
endif()
set(text "// Made by scripts/cmake/revision.cmake; do not edit.\n#include \"base/revision.h\"\n\nconst char revision[] = \"${revision}\";\nconst char revision_program[] = RECFLEET_VERSION \" ${revision}\";\n")
set(old "")
if(EXISTS "${OUT}")
  file(READ "${OUT}" old)
endif()
if(NOT text STREQUAL old)
  file(WRITE "${OUT}" "${text}")
endif()
