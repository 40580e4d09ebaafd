package dev.imagen.image;

import java.util.Arrays;
import java.util.Optional;

/** The kinds of picture that are taken from backends, stored and served; there are no others. */
public enum ImageType {
    PNG("image/png", "png"), JPEG("image/jpeg", "jpg"), WEBP("image/webp", "webp");

    private final String mimeType;
    private final String extension;

    ImageType(String mimeType, String extension) {
        this.mimeType = mimeType;
        this.extension = extension;
    }

    /** As {@code Content-Type} has it. */
    public String mimeType() {
        return mimeType;
    }

    /** The end of a file's name, without a dot. */
    public String extension() {
        return extension;
    }

    /** The type of this name, if it is one of these. */
    public static Optional<ImageType> of(String mimeType) {
        return Arrays.stream(values()).filter(type -> type.mimeType.equals(mimeType)).findFirst();
    }
}
