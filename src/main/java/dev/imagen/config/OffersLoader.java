package dev.imagen.config;

import java.math.BigDecimal;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Reads fallbacks and price tables. */
final class OffersLoader {

    private static final BigDecimal MOST = BigDecimal.valueOf(100_000);

    /** What a price is for, by its name in the settings. */
    private enum Unit {
        IMAGE, MEGAPIXEL, SECOND, INPUT, OUTPUT
    }

    private final Keys keys;

    OffersLoader(Keys keys) {
        this.keys = keys;
    }

    /** @param backends that are set up, by name */
    Map<String, OfferSettings> offers(List<String> backends) {
        var offers = new LinkedHashMap<String, OfferSettings>();
        backends.forEach(name -> offers.put(name, new OfferSettings(fallback(name, backends), prices(name))));
        offers.keySet().forEach(name -> refuseCircle(name, offers));
        return Map.copyOf(offers);
    }

    private Optional<String> fallback(String name, List<String> backends) {
        var key = "backends." + name + ".fallback";
        var fallback = keys.optional(key);
        if (fallback.isPresent() && !backends.contains(fallback.get())) {
            throw new SettingsException(Keys.named(key) + " is '" + fallback.get()
                    + "', must be a backend that is set up: " + String.join(", ", backends));
        }
        return fallback;
    }

    private static void refuseCircle(String name, Map<String, OfferSettings> offers) {
        var seen = new HashSet<String>();
        for (var next = Optional.of(name); next.isPresent(); next = offers.get(next.get()).fallback()) {
            if (!seen.add(next.get())) {
                throw new SettingsException(
                        Keys.named("backends." + name + ".fallback") + " leads back to " + next.get());
            }
        }
    }

    private Map<String, Price> prices(String name) {
        var key = "backends." + name + ".prices";
        var prices = new LinkedHashMap<String, Price>();
        for (String entry : keys.list(key)) {
            var words = entry.split("\\s+");
            if (words.length < 2 || prices.put(words[0], price(key, words)) != null) {
                throw wrong(key, entry);
            }
        }
        return Map.copyOf(prices);
    }

    private static Price price(String key, String[] words) {
        var amounts = new EnumMap<Unit, BigDecimal>(Unit.class);
        Stream.of(words).skip(1).forEach(word -> {
            var parts = word.split("=", -1);
            if (parts.length != 2 || amounts.put(unit(key, word, parts[0]), amount(key, word, parts[1])) != null) {
                throw wrong(key, word);
            }
        });
        return new Price(amounts.getOrDefault(Unit.IMAGE, BigDecimal.ZERO),
                amounts.getOrDefault(Unit.MEGAPIXEL, BigDecimal.ZERO),
                amounts.getOrDefault(Unit.SECOND, BigDecimal.ZERO), amounts.getOrDefault(Unit.INPUT, BigDecimal.ZERO),
                amounts.getOrDefault(Unit.OUTPUT, BigDecimal.ZERO));
    }

    private static Unit unit(String key, String word, String name) {
        return Stream.of(Unit.values()).filter(unit -> unit.name().toLowerCase(Locale.ROOT).equals(name)).findFirst()
                .orElseThrow(() -> wrong(key, word));
    }

    private static BigDecimal amount(String key, String word, String text) {
        if (!text.matches("\\d{1,6}(\\.\\d{1,9})?") || new BigDecimal(text).compareTo(MOST) > 0) {
            throw wrong(key, word);
        }
        return new BigDecimal(text);
    }

    private static SettingsException wrong(String key, String entry) {
        return new SettingsException(Keys.named(key) + " has '" + entry + "', must be entries such as"
                + " \"MODEL image=0.04\" or \"* input=5 output=40\" between commas, each model once: image, megapixel,"
                + " second, input and output (a million tokens) in US dollars, 0 to " + MOST);
    }
}
