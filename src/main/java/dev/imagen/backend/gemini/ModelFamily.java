package dev.imagen.backend.gemini;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.backend.Size;
import dev.imagen.backend.Sizes;
import dev.imagen.backend.remote.NamedSizes;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Models with the same sizes; of any other one nobody here knows them. */
enum ModelFamily {
    /** One size of each shape. */
    FLASH_2_5("gemini-2.5-flash-image", """
            size      aspectRatio
            1024x1024 1:1
            832x1248  2:3
            1248x832  3:2
            864x1184  3:4
            1184x864  4:3
            896x1152  4:5
            1152x896  5:4
            768x1344  9:16
            1344x768  16:9
            1536x672  21:9
            """),
    /** Three of each. */
    PRO_3("gemini-3-pro-image", """
            size      aspectRatio imageSize
            1024x1024 1:1         1K
            848x1264  2:3         1K
            1264x848  3:2         1K
            896x1200  3:4         1K
            1200x896  4:3         1K
            928x1152  4:5         1K
            1152x928  5:4         1K
            768x1376  9:16        1K
            1376x768  16:9        1K
            1584x672  21:9        1K
            2048x2048 1:1         2K
            1696x2528 2:3         2K
            2528x1696 3:2         2K
            1792x2400 3:4         2K
            2400x1792 4:3         2K
            1856x2304 4:5         2K
            2304x1856 5:4         2K
            1536x2752 9:16        2K
            2752x1536 16:9        2K
            3168x1344 21:9        2K
            4096x4096 1:1         4K
            3392x5056 2:3         4K
            5056x3392 3:2         4K
            3584x4800 3:4         4K
            4800x3584 4:3         4K
            3712x4608 4:5         4K
            4608x3712 5:4         4K
            3072x5504 9:16        4K
            5504x3072 16:9        4K
            6336x2688 21:9        4K
            """),
    /** More shapes, and a small one. */
    FLASH_3_1("gemini-3.1-flash-image", PRO_3.table + """
            512x512   1:1         512
            512x2048  1:4         1K
            2048x512  4:1         1K
            384x3072  1:8         1K
            3072x384  8:1         1K
            1024x4096 1:4         2K
            4096x1024 4:1         2K
            768x6144  1:8         2K
            6144x768  8:1         2K
            2048x8192 1:4         4K
            8192x2048 4:1         4K
            """),
    /** Anybody else's. */
    OTHER("", null);

    /** Those that Google offers, the default first. */
    static final List<String> MODELS = List.of("gemini-3.1-flash-image", "gemini-3-pro-image");

    private final String prefix;
    private final String table;
    private final Optional<NamedSizes> sizes;

    ModelFamily(String prefix, String table) {
        this.prefix = prefix;
        this.table = table;
        this.sizes = Optional.ofNullable(table).map(NamedSizes::new);
    }

    /** By the beginning of the name: what follows are versions of the same model. */
    static ModelFamily of(String model) {
        return Arrays.stream(values()).filter(family -> model.startsWith(family.prefix))
                .max(Comparator.comparingInt(family -> family.prefix.length())).orElse(OTHER);
    }

    Sizes sizes() {
        return sizes.map(NamedSizes::sizes).orElseGet(Sizes.Own::new);
    }

    /** Asks for a size, if one can. */
    void put(ObjectNode generationConfig, Size size) {
        sizes.ifPresent(named -> named.put(generationConfig.putObject("imageConfig"), size));
    }
}
