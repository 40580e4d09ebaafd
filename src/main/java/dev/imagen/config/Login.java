package dev.imagen.config;

/**
 * A database login.
 *
 * @param url {@code jdbc:postgresql://host:port/database}
 * @param username may be empty where the URL names the user
 * @param password may be empty
 */
public record Login(String url, String username, String password) {

    /** Without the password, and without the URL's parameters, which may hold one. */
    @Override
    public String toString() {
        return username + "@" + url.replaceFirst("\\?.*", "");
    }
}
