"""Image files: which are read and written, and whether what stands in them is whole.

SimpleITK reads and writes the voxels. In several formats it takes a file that has lost its end, or
whose checksum is wrong, for a whole one; so each format has a module here that says from the header
where the voxels lie and how many bytes they are, and ``whole`` compares the file with it.
"""
