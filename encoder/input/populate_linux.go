package input

import "syscall"

// mapPopulated asks the system to map all pages of a file at once: nearly all of them are read, and mapping them one after another takes longer.
const mapPopulated = syscall.MAP_POPULATE
