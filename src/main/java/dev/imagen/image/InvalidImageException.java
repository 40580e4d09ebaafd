package dev.imagen.image;

/** Bytes that are not a picture, or a damaged one. The message goes on after "sent". */
public final class InvalidImageException extends Exception {

    private static final long serialVersionUID = 1L;

    private final boolean damaged;

    private InvalidImageException(String message, boolean damaged) {
        super(message);
        this.damaged = damaged;
    }

    /** It is something else, or not what it says: the same would come again. */
    static InvalidImageException other(String message) {
        return new InvalidImageException(message, false);
    }

    /** A part of it is missing or wrong, as after a connection that broke. */
    static InvalidImageException damaged(ImageType type, String what) {
        return new InvalidImageException("a damaged " + type + ": " + what, true);
    }

    /** Whether the same file may come whole another time. */
    public boolean damaged() {
        return damaged;
    }
}
