package dev.imagen.api;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.webjars.WebJarVersionLocator;

/** The files of the page, from the class path: ours, and those of the libraries that it uses. */
final class PageFiles {

    /** Where a name of the page is in a WebJar. */
    private static final Map<String, Library> LIBRARIES = Map.of("lib/preact.js",
            new Library("preact", "dist/preact.min.umd.js"), "lib/hooks.js",
            new Library("preact", "hooks/dist/hooks.umd.js"), "lib/uplot.js",
            new Library("uplot", "dist/uPlot.iife.min.js"), "lib/uplot.css",
            new Library("uplot", "dist/uPlot.min.css"));

    private static final String INDEX = "index.html";

    private final SortedMap<String, byte[]> files = new TreeMap<>();
    private final String version;

    private record Library(String webjar, String file) {}

    /**
     * Reads all of them, less than a megabyte. @throws IllegalStateException when a library is not on the class path
     */
    PageFiles() {
        try {
            readOwn();
            for (var library : LIBRARIES.entrySet()) {
                files.put(library.getKey(), read(library.getValue()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the page's files cannot be read from the class path", e);
        }
        version = hash();
        files.computeIfPresent(INDEX, (_, html) -> new String(html, StandardCharsets.UTF_8).replace("VERSION", version)
                .getBytes(StandardCharsets.UTF_8));
    }

    /** Changes with any of the files: a browser may keep what it got under this version for ever. */
    String version() {
        return version;
    }

    /** The page itself. */
    byte[] index() {
        return files.get(INDEX);
    }

    /** One of its files. */
    Optional<byte[]> find(String name) {
        return name.equals(INDEX) ? Optional.empty() : Optional.ofNullable(files.get(name));
    }

    private void readOwn() throws IOException {
        var index = uri("/page/" + INDEX);
        if (index.getScheme().equals("file")) {
            readOwn(Path.of(index).getParent());
            return;
        }
        try (var jar = FileSystems.newFileSystem(index, Map.of())) {
            readOwn(jar.getPath("/page"));
        }
    }

    private void readOwn(Path folder) throws IOException {
        try (var paths = Files.walk(folder)) {
            for (var path : (Iterable<Path>) paths.filter(Files::isRegularFile)::iterator) {
                files.put(folder.relativize(path).toString().replace('\\', '/'), Files.readAllBytes(path));
            }
        }
    }

    private static URI uri(String resource) {
        try {
            return PageFiles.class.getResource(resource).toURI();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] read(Library library) throws IOException {
        var path = new WebJarVersionLocator().fullPath(library.webjar(), library.file());
        try (var bytes = path == null ? null : PageFiles.class.getResourceAsStream("/" + path)) {
            if (bytes == null) {
                throw new IllegalStateException("the library " + library.webjar() + " is not on the class path: keep"
                        + " all of target/lib beside the jar");
            }
            return bytes.readAllBytes();
        }
    }

    private String hash() {
        try {
            var hash = MessageDigest.getInstance("SHA-256");
            files.forEach((name, bytes) -> {
                hash.update(name.getBytes(StandardCharsets.UTF_8));
                hash.update(bytes);
            });
            return HexFormat.of().formatHex(hash.digest(), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
