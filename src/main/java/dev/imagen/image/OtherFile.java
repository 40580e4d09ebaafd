package dev.imagen.image;

import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/** Says what came instead of a picture; never with its words, which may hold somebody's secret. */
final class OtherFile {

    private static final Map<String, String> BEGINNINGS = new LinkedHashMap<>();

    static {
        BEGINNINGS.put("GIF8", "a GIF");
        BEGINNINGS.put("BM", "a BMP");
        BEGINNINGS.put("II*\0", "a TIFF");
        BEGINNINGS.put("MM\0*", "a TIFF");
        BEGINNINGS.put("%PDF", "a PDF");
        BEGINNINGS.put("PK\3\4", "a ZIP archive");
        BEGINNINGS.put("\u001F\u008B", "gzip data");
        BEGINNINGS.put("<", "HTML or XML");
        BEGINNINGS.put("{", "JSON");
        BEGINNINGS.put("[", "JSON");
        BEGINNINGS.put("data:", "a data: URL");
    }

    private static final int SHOWN = 8;

    private OtherFile() {}

    static String describe(Bytes bytes) {
        if (bytes.length() == 0) {
            return "nothing (0 bytes)";
        }
        if (bytes.has(4, "ftyp")) {
            return "an AVIF, HEIF or video";
        }
        int start = 0;
        while (start < bytes.length() && " \t\r\n".indexOf(bytes.at(start)) >= 0) {
            start++;
        }
        for (var beginning : BEGINNINGS.entrySet()) {
            if (bytes.has(start, beginning.getKey())) {
                return beginning.getValue();
            }
        }
        return text(bytes)
                ? "text"
                : "an unknown kind of file (it begins with "
                        + HexFormat.ofDelimiter(" ").formatHex(bytes.file(), 0, Math.min(SHOWN, bytes.length())) + ")";
    }

    private static boolean text(Bytes bytes) {
        for (int i = 0; i < Math.min(bytes.length(), 100); i++) {
            if (bytes.at(i) < ' ' && "\t\r\n".indexOf(bytes.at(i)) < 0 || bytes.at(i) > '~') {
                return false;
            }
        }
        return true;
    }
}
