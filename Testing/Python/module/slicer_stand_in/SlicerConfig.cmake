# Stands in for an installed Slicer, so that the extension can be configured and installed without
# one. It does what the extension's CMake files rely on, as Slicer's documentation describes it:
# listed files, and only those, are copied with their relative paths and installed; a listed file
# that is missing is an error.

set(Slicer_USE_FILE ${CMAKE_CURRENT_LIST_DIR}/UseSlicer.cmake)
set(Slicer_EXTENSION_GENERATE_CONFIG ${CMAKE_CURRENT_LIST_DIR}/WriteMetadata.cmake)
set(Slicer_EXTENSION_CPACK ${CMAKE_CURRENT_LIST_DIR}/Nothing.cmake)
