package dev.imagen.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.BackendInfo.Abilities;
import dev.imagen.backend.Backends;
import dev.imagen.backend.Feature;
import dev.imagen.backend.Health;
import dev.imagen.backend.Size;
import dev.imagen.backend.Sizes;
import dev.imagen.config.Price;
import java.util.Set;

/** What a backend offers, as JSON. */
final class BackendJson {

    private BackendJson() {}

    static ObjectNode of(BackendInfo info, Backends backends) {
        boolean steps = info.can(Feature.STEPS);
        var node = Json.object().put("name", info.name()).put("default",
                info.name().equals(backends.names().getFirst()));
        info.models().forEach(node.putArray("models")::add);
        node.putObject("defaults").put("model", info.models().getFirst()).put("width", info.defaults().width())
                .put("height", info.defaults().height()).put("steps", steps ? info.defaults().steps() : null);
        node.putObject("limits").put("min_side", info.limits().minSide()).put("max_side", info.limits().maxSide())
                .put("max_pixels", info.limits().maxPixels()).put("max_steps", steps ? info.limits().maxSteps() : null);
        features(node, info.features());
        var sizes = node.putArray("sizes");
        info.models().stream().filter(info.sizes()::containsKey)
                .forEach(model -> sizes.add(sizes(model, info.sizes().get(model))));
        var abilities = node.putArray("abilities");
        info.models().stream().filter(info.abilities()::containsKey)
                .forEach(model -> abilities.add(abilities(model, info.abilitiesOf(model))));
        var parameters = node.putArray("parameters");
        info.parameters().forEach(parameter -> parameters.add(ParameterJson.of(parameter)));
        node.put("fallback", backends.fallback(info.name()).orElse(null));
        node.set("health", backends.health(info.name()).map(BackendJson::health).orElse(null));
        var prices = node.putArray("prices");
        info.models().forEach(
                model -> backends.price(info.name(), model).ifPresent(price -> prices.add(price(model, price))));
        return node;
    }

    private static ObjectNode health(Health health) {
        return Json.object().put("ok", health.problem().isEmpty()).put("problem", health.problem().orElse(null))
                .put("asked_at", health.asked().toString());
    }

    private static ObjectNode price(String model, Price price) {
        return Json.object().put("model", model).put("image", price.image()).put("megapixel", price.megapixel())
                .put("second", price.second()).put("input", price.input()).put("output", price.output());
    }

    private static void features(ObjectNode node, Set<Feature> features) {
        var names = node.putArray("features");
        features.stream().sorted().map(Feature::field).forEach(names::add);
    }

    private static ObjectNode abilities(String model, Abilities abilities) {
        boolean steps = abilities.can(Feature.STEPS);
        var node = Json.object().put("model", model);
        features(node, abilities.features());
        return node.put("steps", steps ? abilities.steps() : null).put("max_steps", steps ? abilities.maxSteps() : null)
                .put("width", abilities.size().map(Size::width).orElse(null))
                .put("height", abilities.size().map(Size::height).orElse(null));
    }

    private static ObjectNode sizes(String model, Sizes sizes) {
        var node = Json.object().put("model", model);
        switch (sizes) {
            case Sizes.Own() -> node.putArray("sizes");
            case Sizes.Listed(var listed) -> {
                var list = node.putArray("sizes");
                listed.forEach(size -> list.add(size.toString()));
            }
            case Sizes.Ranged range -> node.put("min_side", range.minSide()).put("max_side", range.maxSide())
                    .put("max_pixels", range.maxPixels()).put("multiple_of", range.multiple())
                    .put("max_aspect", range.maxAspect());
        }
        return node;
    }
}
