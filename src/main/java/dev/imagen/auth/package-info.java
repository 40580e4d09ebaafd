/** Who calls: tokens of an identity provider, API keys, and tickets for event streams. */
package dev.imagen.auth;
