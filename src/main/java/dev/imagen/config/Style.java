package dev.imagen.config;

import java.util.Optional;

/**
 * A prompt style.
 *
 * @param prefix goes before the prompt as it is, spaces included
 * @param suffix goes after the prompt as it is, spaces included
 * @param negative joins the job's negative prompt; may be empty
 * @param width pixels, where the job names none
 * @param height pixels, where the job names none
 */
public record Style(String prefix, String suffix, String negative, Optional<Integer> width, Optional<Integer> height) {}
