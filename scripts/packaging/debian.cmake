# SPDX-License-Identifier: Apache-2.0
# CPack runs this over the files of the package before it packs them, to make of a plain installation
# what Debian's policy asks for: compressed manual pages and changes, zsh's completion where Debian's
# zsh looks, and `copyright` in place of the licence, whose text every system has.
set(usr ${CPACK_TEMPORARY_DIRECTORY}/usr)
set(doc ${usr}/share/doc/recfleet)

file(REMOVE ${doc}/LICENSE)
file(WRITE ${doc}/copyright "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: recfleet

Files: *
Copyright: 2026 The recfleet authors
License: Apache-2.0
 On Debian systems the full text of the Apache License, Version 2.0, is in
 /usr/share/common-licenses/Apache-2.0.
")
# The changelog of a package is about packaging, and of a fixed form; NEWS is for what users notice.
file(RENAME ${doc}/CHANGES.md ${doc}/NEWS)
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${doc}/changelog "recfleet (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium

  * Built from the sources of this version; NEWS.gz says what is new in it.

 -- ${CPACK_PACKAGE_CONTACT}  ${now}
")
file(MAKE_DIRECTORY ${usr}/share/zsh/vendor-completions)
file(RENAME ${usr}/share/zsh/site-functions/_recfleet ${usr}/share/zsh/vendor-completions/_recfleet)
file(REMOVE_RECURSE ${usr}/share/zsh/site-functions)

file(GLOB pages ${usr}/share/man/man1/*.1)
execute_process(COMMAND gzip -9nf ${pages} ${doc}/changelog ${doc}/NEWS COMMAND_ERROR_IS_FATAL ANY)
