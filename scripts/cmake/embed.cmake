# SPDX-License-Identifier: Apache-2.0
# cmake -DROOT=.. -DFILES="a;b" -DOUT=x.c -DHEADER=h -DELEMENT=e -DARRAY=a -P embed.cmake: the files as
# byte arrays in `const struct e a[]`, which h declares, named by their path from ROOT, so that
# nothing of the building machine ends up in the program.
set(arrays "")
set(rows "")
set(i 0)
foreach(file IN LISTS FILES)
  file(READ "${ROOT}/${file}" hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(APPEND arrays "static const unsigned char data_${i}[] = {${bytes}0};\n")
  string(APPEND rows "    {\"${file}\", data_${i}, sizeof data_${i} - 1},\n")
  math(EXPR i "${i} + 1")
endforeach()
file(WRITE "${OUT}" "// Made by scripts/cmake/embed.cmake; do not edit.\n#include \"${HEADER}\"\n\n${arrays}\nconst struct ${ELEMENT} ${ARRAY}[] = {\n${rows}    {0, 0, 0}};\n")
