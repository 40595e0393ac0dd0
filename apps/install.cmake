# cmake --install: the program, its levels and two texts. cpack: the same as .deb and as .tar.gz (experiments/package.sh).
install(TARGETS rlt RUNTIME_DEPENDENCY_SET libraries RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
foreach(level IN LISTS levels)
  install(TARGETS rlt-${level} RUNTIME DESTINATION ${level_folder})
endforeach()
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# What has no archive lies beside the levels. RPATH, not the younger RUNPATH: the libraries' own libraries are looked for
# there too, and LD_LIBRARY_PATH does not come first. The standard library is one of them, as oneDNN asks for it: a second
# one inside the program would share its symbols. Only glibc is left to the machine.
if(RLT_STATIC)
  file(RELATIVE_PATH from_program_to_libraries /${CMAKE_INSTALL_BINDIR} /${level_folder})
  set_target_properties(rlt PROPERTIES INSTALL_RPATH "$ORIGIN/${from_program_to_libraries}")
  foreach(level IN LISTS levels)
    set_target_properties(rlt-${level} PROPERTIES INSTALL_RPATH "$ORIGIN")
  endforeach()
  target_link_options(rlt_flags INTERFACE -Wl,--disable-new-dtags)
  install(RUNTIME_DEPENDENCY_SET libraries PRE_EXCLUDE_REGEXES "^ld-linux" "^lib(c|m|dl|rt|pthread)\\.so"
    LIBRARY DESTINATION ${level_folder})
  # Their licences ask to be passed on.
  foreach(package libopenblas-dev zlib1g-dev libxxhash-dev libdnnl2 ocl-icd-libopencl1 libfmt9 libgomp1 libstdc++6
      libgcc-s1 libxtensor-dev libxtensor-blas-dev libxsimd-dev nlohmann-json3-dev libcli11-dev libtomlplusplus-dev
      libutfcpp-dev)
    install(FILES /usr/share/doc/${package}/copyright RENAME ${package}
      DESTINATION ${CMAKE_INSTALL_DOCDIR}/licences OPTIONAL)
  endforeach()
endif()

set(CPACK_PACKAGE_CONTACT "the rlt authors <rlt@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "trains recurrent and linear-attention sequence cells")
set(CPACK_STRIP_FILES ON)
set(CPACK_SYSTEM_NAME linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
include(CPack)
