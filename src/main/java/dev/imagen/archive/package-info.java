/** All that an installation has in one file, to keep it or to move it to another database. */
package dev.imagen.archive;
