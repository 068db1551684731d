# Where Slicer would prepare the package.
