# Where Slicer would write the extension's description: its name and what it depends on.
file(WRITE ${CMAKE_BINARY_DIR}/metadata.txt "${PROJECT_NAME}\n${EXTENSION_DEPENDS}\n")
